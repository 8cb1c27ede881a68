"""The pseudo-terminal, with small programs in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SubjectError
from harness.subject import process
from harness.subject import terminal as module
from harness.subject.process import ProcessGroups
from harness.subject.terminal import COLUMNS, ROWS, Terminal
from tests.processes import assert_gone

Start = Callable[..., Terminal]

#: Before the code of every program: its keys come raw, and nothing is echoed.
RAW = "import os, sys, tty\ntty.setraw(0)\n"
#: Waits until a person presses any key.
ANY_KEY = "os.read(0, 1)\n"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """A terminal, not yet entered, with a program of a few lines of Python in it."""

    def make(code: str, *, deadline_s: float = 300.0, **options: Any) -> Terminal:
        argv = [sys.executable, "-I", "-S", "-c", code]
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        return Terminal(argv, cwd=tmp_path, env=env, deadline_s=deadline_s, **options)

    return make


def sees(terminal: Terminal, text: str) -> Callable[[], bool]:
    return lambda: text in terminal.text


def test_a_program_is_read_answered_and_ends(start: Start) -> None:
    code = "name = input('Who? ')\nprint('hello', name)\nraise SystemExit(3)"
    with start(code) as terminal:
        question = terminal.until(lambda: terminal.text.startswith("Who") and terminal.text, "Who")
        assert question == "Who?"
        terminal.send("Ada\r")
        done = terminal.completed()
    assert (done.exit_code, done.timed_out, done.stderr) == (3, False, "")
    assert done.stdout == "Who? Ada\nhello Ada"
    assert done.argv[-1] == code
    assert done.started_unix_nano < done.ended_unix_nano


def test_a_signal_is_a_negative_exit_code(start: Start) -> None:
    with start("import os; os.kill(os.getpid(), 9)") as terminal:
        assert terminal.completed().exit_code == -9


def test_an_end_before_the_condition_is_the_subjects_fault(start: Start) -> None:
    with start("print('last words')") as terminal:
        with pytest.raises(SubjectError, match="ended before the moon rose") as raised:
            terminal.until(lambda: None, "the moon rose")
        assert terminal.ended
    assert "last words" in raised.value.output
    assert "last words" in str(raised.value)


def test_a_silent_end_is_shown_as_an_empty_screen(start: Start) -> None:
    with start("") as terminal, pytest.raises(SubjectError, match=r"\(empty\)"):
        terminal.until(lambda: None, "a word")


def test_a_condition_that_does_not_come_true_ends_at_the_deadline(
    start: Start, expire: Callable[[str], None]
) -> None:
    code = "print('here I stand', flush=True)\n__import__('signal').pause()"
    expire("here I stand")
    with (
        start(code, deadline_s=600) as terminal,
        pytest.raises(SubjectError, match="the moon: not seen within 600 s") as raised,
    ):
        terminal.until(lambda: None, "the moon")
    assert "here I stand" in raised.value.output


def test_a_program_that_does_not_end_comes_back_with_its_screen(
    start: Start,
    expire: Callable[[str], None],
) -> None:
    code = "import os, signal\nprint(os.getpid(), 'is here', flush=True)\nsignal.pause()"
    expire("is here")
    with start(code, deadline_s=600) as terminal:
        done = terminal.completed()
    assert done.timed_out
    assert done.exit_code == -9
    assert_gone(int(done.stdout.split()[0]))
    assert done.stdout.strip() in done.last_output


def test_a_program_that_gives_up_its_terminal_is_waited_for(start: Start, tmp_path: Path) -> None:
    """Nothing more can be read of it, but it has not ended."""
    fifo = tmp_path / "held"
    os.mkfifo(fifo)
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "for fd in (0, 1, 2): os.close(fd)\n"
        f"open({str(fifo)!r}).readline()\n"
        "os._exit(4)"
    )
    with start(code) as terminal, fifo.open("r+b", buffering=0) as held:
        terminal.until(lambda: terminal.ended, "the end of its output", whole=False)
        held.write(b"go\n")
        done = terminal.completed()
    assert (done.exit_code, done.timed_out) == (4, False)


@pytest.mark.parametrize(
    ("answers", "heard"), [(None, "yy"), (["", "n", ""], "yn"), (["", "", "abc"], "yabc")]
)
def test_keys_without_effect_are_pressed_again(
    start: Start, monkeypatch: pytest.MonkeyPatch, answers: list[str] | None, heard: str
) -> None:
    """The same again, or else what ``again`` says: nothing, something else."""
    monkeypatch.setattr(module, "PRESS_AGAIN_S", 0.05)
    code = (
        f"{RAW}print('ready\\r', flush=True)\n"
        "heard = b''\n"
        f"while len(heard) < {len(heard)}: heard += os.read(0, 1)\n"
        "print('heard', heard, flush=True)\n" + ANY_KEY
    )
    with start(code) as terminal:
        terminal.until(sees(terminal, "ready"), "ready")
        again = None if answers is None else iter([*answers, *[""] * 99]).__next__
        assert terminal.press("y", sees(terminal, "heard"), "an effect", again=again) is True
        assert f"heard {heard.encode()!r}" in terminal.text


def test_a_key_that_had_an_effect_is_pressed_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PRESS_AGAIN_S", 60.0)
    code = (
        f"{RAW}print('ready\\r', flush=True)\n"
        "heard = os.read(0, 1)\n"
        "print('first', heard, '\\r', flush=True)\n"
        "while heard[-1:] != b'.': heard += os.read(0, 1)\n"
        "print('all', heard)\n"
    )
    with start(code) as terminal:
        terminal.until(sees(terminal, "ready"), "ready")
        terminal.press("y", sees(terminal, "first"), "an effect")
        terminal.send(".")
        assert "all b'y.'" in terminal.completed().stdout


def test_keys_for_a_program_that_has_ended_are_told_of_by_the_next_wait(start: Start) -> None:
    with start("print('over')") as terminal:
        terminal.until(lambda: terminal.ended, "the end")
        terminal.send("anybody there?\r")
        with pytest.raises(SubjectError, match="ended before an answer"):
            terminal.press("y", lambda: None, "an answer")


@pytest.mark.parametrize(("whole", "seen"), [(True, "first second"), (False, "first")])
def test_a_screen_printed_in_pieces_is_not_taken_for_whole(
    start: Start, monkeypatch: pytest.MonkeyPatch, whole: bool, seen: str
) -> None:
    """The second piece follows upon a key that is pressed when the first one is seen."""
    monkeypatch.setattr(module, "QUIET_S", 60.0)
    code = f"{RAW}print('first ', end='', flush=True)\n{ANY_KEY}print('second', flush=True)"
    with start(code) as terminal:
        pressed: list[str] = []

        def first() -> str | None:
            if "first" in terminal.text and not pressed:
                pressed.append("k")
                terminal.send("k")
            return terminal.text or None

        assert terminal.until(first, "the first piece", whole=whole) == seen


def test_the_program_knows_the_size_of_its_window(start: Start) -> None:
    with start("import os; print(os.get_terminal_size())") as terminal:
        assert f"columns={COLUMNS}, lines={ROWS}" in terminal.completed().stdout
        assert len(terminal.lines) == ROWS


def test_the_program_has_the_terminal_for_its_own(start: Start) -> None:
    code = (
        "import os\n"
        "with open('/dev/tty', 'w') as tty: print('by its name', file=tty)\n"
        "print(os.getsid(0) == os.getpid() == os.tcgetpgrp(0), [os.isatty(n) for n in range(3)])"
    )
    with start(code) as terminal:
        assert terminal.completed().stdout == "by its name\nTrue [True, True, True]"


def test_control_keys_are_signals(start: Start) -> None:
    code = (
        "import signal\n"
        "def heard(number, frame): raise SystemExit('interrupted')\n"
        "signal.signal(signal.SIGINT, heard)\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    with start(code) as terminal:
        terminal.until(sees(terminal, "ready"), "ready")
        terminal.send("\x03")
        done = terminal.completed()
    assert (done.exit_code, "interrupted" in done.stdout) == (1, True)


def test_only_the_given_environment_is_passed(start: Start, tmp_path: Path) -> None:
    with start("import os; print(*sorted(os.environ), os.getcwd())") as terminal:
        names = "".join(terminal.completed().stdout.splitlines())
    assert names == f"LANG PATH {tmp_path}"


def test_wide_and_divided_characters_are_read(start: Start) -> None:
    code = (
        f"{RAW}os.write(1, '❯ 漢字 é'.encode() + '字'.encode()[:1])\n"
        f"{ANY_KEY}os.write(1, '字'.encode()[1:] + b'.')"
    )
    with start(code) as terminal:
        terminal.until(sees(terminal, "é"), "the first part")
        assert terminal.lines[0] == "❯ 漢字 é"
        terminal.send("k")
        assert terminal.completed().stdout == "❯ 漢字 é字."


def test_what_is_drawn_over_is_gone(start: Start) -> None:
    with start(r"print('wrong\rright\n\n  below\x1b[1;8Hagain', end='\n\n\n')") as terminal:
        assert terminal.completed().stdout == "right  again\n\n  below"


@pytest.mark.parametrize("failing", [False, True])
def test_leaving_the_block_leaves_nothing_running(start: Start, failing: bool) -> None:
    code = (
        "import os, signal, subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print(os.getpid(), child.pid, '.', flush=True)\n"
        "signal.pause()"
    )
    try:
        with start(code) as terminal:
            terminal.until(sees(terminal, "."), "the process ids")
            pids = [int(pid) for pid in terminal.text.rstrip(".").split()]
            if failing:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert failing
    assert len(pids) == 2
    for pid in pids:
        assert_gone(pid)


def test_a_child_that_holds_the_terminal_open_does_not_hold_us(start: Start) -> None:
    """A leader that gives the terminal up before it ends does not have it hung up."""
    code = (
        "import fcntl, signal, subprocess, termios\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print(child.pid, flush=True)\n"
        "fcntl.ioctl(0, termios.TIOCNOTTY)\n"
        "raise SystemExit(5)"
    )
    with start(code) as terminal:
        terminal.until(lambda: terminal.ended, "the end of its output", whole=False)
        done = terminal.completed()
    assert (done.exit_code, done.timed_out) == (5, False)
    assert_gone(int(done.stdout))


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_pulled_leash_ends_it(start: Start, when: str) -> None:
    groups = ProcessGroups()
    if when == "before":
        groups.end_all()
    code = "print('ready', flush=True)\n__import__('signal').pause()"
    with start(code, groups=groups) as terminal:
        if when == "meanwhile":
            terminal.until(sees(terminal, "ready"), "ready")
            groups.end_all()
        with pytest.raises(SubjectError, match="ended before Christmas"):
            terminal.until(lambda: None, "Christmas")
        assert terminal.completed().exit_code == -9


def test_what_cannot_start_is_the_subjects_fault(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    missing = Terminal(["/no/such/program"], cwd=tmp_path / "no", env={}, deadline_s=300)
    with pytest.raises(SubjectError, match=r"/no/such/program cannot be started"):
        missing.__enter__()
    assert descriptors() == before


def test_a_program_that_is_not_there_is_shown_to_be_missing(tmp_path: Path) -> None:
    missing = Terminal(["/no/such/program"], cwd=tmp_path, env={}, deadline_s=300)
    with pytest.raises(SubjectError, match=r"/no/such/program cannot be started: .*No such file"):
        missing.__enter__()


def test_nothing_is_left_open_afterwards(start: Start) -> None:
    before = sorted(os.listdir("/dev/fd"))
    with start("print('over')") as terminal:
        terminal.completed()
    assert sorted(os.listdir("/dev/fd")) == before


def test_a_screen_that_never_rests_ends_at_the_deadline(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rests when nothing is printed for so long, which a busy machine must not bring about."""
    monkeypatch.setattr(module, "QUIET_S", 60.0)
    read, times = Terminal._read, iter(range(20))

    def reads(made: Terminal, seconds: float) -> bool:
        if next(times, None) is None:
            made._end_s = float("-inf")
        return read(made, seconds)

    monkeypatch.setattr(Terminal, "_read", reads)
    code = (
        "import select\n"
        "while True:\n"
        "    print('tick', flush=True)\n"
        "    select.select([], [], [], 0.01)"
    )
    with (
        start(code, deadline_s=600) as terminal,
        pytest.raises(SubjectError, match="within 600 s") as raised,
    ):
        terminal.until(sees(terminal, "tick"), "a tick")
    assert "tick" in raised.value.output


def test_last_words_are_read_however_late_the_end_is_noticed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says them, and ends, while we look whether it has ended."""
    code = f"{RAW}print('ready', flush=True)\n{ANY_KEY}print('last words', flush=True)"
    with start(code) as terminal:
        terminal.until(sees(terminal, "ready"), "ready")
        running = terminal._process
        poll = running.poll

        def poll_late() -> int | None:
            if not running.ended():
                terminal.send("k")
                assert process.wait(running, 60)
            return poll()

        monkeypatch.setattr(running, "poll", poll_late)
        assert "last words" in terminal.completed().stdout


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[<u",
        "\x1b[>1u",
        "\x1b[=1;1u",
        "\x1b[?4m",
        "\x1b[4:3m",
        "\x1bP+q54\x1b\\",
        "\x1b_Gi=1\x1b\\",
    ],
)
def test_what_is_meant_for_the_terminal_is_not_drawn(
    start: Start, sequence: str, divided: bool
) -> None:
    head, tail = (sequence[:2], sequence[2:]) if divided else (sequence, "")
    first, then = f"ab{head}".encode(), f"{tail}cd".encode()
    code = f"{RAW}os.write(1, {first!r})\n{ANY_KEY}os.write(1, {then!r})"
    with start(code) as terminal:
        terminal.until(sees(terminal, "ab"), "the beginning")
        terminal.send("k")
        assert terminal.completed().stdout == "abcd"
