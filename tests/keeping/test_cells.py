"""Whatever ends the process that keeps something, nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.keeping import cells, folders, sweeping
from harness.keeping.cells import BrokenOffError, Cell
from tests.processes import DEADLINE_S, assert_gone, is_running, until

#: Starts what nobody finds by its parent, its session or its environment, says who it is, ignores
#: what it can, and does not end.
LEAVING = """
import os, signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
pid = os.getpid()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", f'''
import os, signal
os.setsid(); os.chdir("/")
open({NAME!r}, "w").write(f"{pid} {{os.getpid()}} ")
while True: signal.pause()
'''], {})
    os._exit(0)
while True: signal.pause()
"""

#: What a session does, without pytest, which takes a second to start.
KEEPING = """
import os, signal, sys, threading
from pathlib import Path
from harness.keeping import folders
from harness.keeping.cells import Cell
from harness.keeping.signals import ending_in_order
signal.signal(signal.SIGUSR1, lambda *_: os.abort())
name, code = sys.argv[1:]
code = "import sys; NAME = " + repr(name) + code
with ending_in_order(), folders.temporary() as folder, Cell() as cell:
    kept = cell.start([sys.executable, "-I", "-S", "-c", code], cwd=folder, env={})
    thread = threading.Thread(target=kept.ended, args=(None,))
    thread.start()
    thread.join()
"""


def twice(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Again and again, as people do who are in a hurry, until it has ended."""
    while process.poll() is None:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def once(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("send", "number"),
    [
        (once, signal.SIGINT),
        (twice, signal.SIGINT),
        (once, signal.SIGTERM),
        (twice, signal.SIGTERM),
        (once, signal.SIGHUP),
        (once, signal.SIGKILL),
        # As a fault in native code of ours would.
        (once, signal.SIGUSR1),
    ],
)
def test_nothing_stays(
    tmp_path: Path,
    send: Callable[[subprocess.Popen[bytes], signal.Signals], None],
    number: signal.Signals,
) -> None:
    named, temporary = tmp_path / "pids", tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPING, str(named), LEAVING],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: named.exists() and len(pids(named)) == 2, "two processes")
        assert len(list(temporary.iterdir())) == 1
        sent = time.monotonic()
        send(process, number)
        assert process.wait(DEADLINE_S) != 0
    finally:
        process.kill()
        process.wait()
    for pid in pids(named):
        assert_gone(pid)
    until(lambda: not list(temporary.iterdir()), "the temporary folder to be gone")
    # The deadline is that of a slow machine; on others it is to be less than ten seconds.
    took_s = time.monotonic() - sent
    sys.stdout.write(f"{send.__name__} {number.name}: nothing was left after {took_s:.2f} s\n")


def pids(named: Path) -> list[int]:
    # Written at once, with a blank at the end.
    text = named.read_text()
    return [int(pid) for pid in text.split()] if text.endswith(" ") else []


@pytest.fixture
def cell() -> Iterator[Cell]:
    with Cell() as made:
        yield made


def leave_something(cell: Cell, tmp_path: Path) -> list[int]:
    named = tmp_path / "pids"
    code = f"import sys; NAME = {str(named)!r}{LEAVING}"
    cell.start([sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, env={}).close()
    until(lambda: named.exists() and len(pids(named)) == 2, "two processes")
    return pids(named)


def test_the_end_of_a_cell_is_the_end_of_all_that_it_started(cell: Cell, tmp_path: Path) -> None:
    left = leave_something(cell, tmp_path)
    assert cell.end()
    assert [pid for pid in left if is_running(pid)] == []


def test_a_cell_that_is_killed_takes_everything_with_it(cell: Cell, tmp_path: Path) -> None:
    left = leave_something(cell, tmp_path)
    leader = psutil.Process(left[0]).parent()
    assert leader is not None
    leader.kill()
    for pid in left:
        assert_gone(pid)


def test_orphans_are_buried_while_the_cell_lives(cell: Cell, tmp_path: Path) -> None:
    """A session that waits for the end of a daemon by its number would wait for ever."""
    code = (
        "child=$(sh -c 'sleep 0.01 >&2 & echo $!'); "
        "while kill -0 $child 2>/dev/null; do sleep 0.01; done"
    )
    started = cell.start(["/bin/sh", "-c", code], cwd=tmp_path, env=os.environ)
    assert started.ended(DEADLINE_S)
    assert started.returncode == 0
    started.close()


def test_its_number_is_nobody_elses_until_it_is_let_go(cell: Cell, tmp_path: Path) -> None:
    started = cell.start([sys.executable, "-c", ""], cwd=tmp_path, env={})
    assert started.ended(DEADLINE_S)
    assert psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE
    started.close()
    until(lambda: not is_running(started.pid), "its end")


def test_what_it_gets_is_what_is_given(cell: Cell, tmp_path: Path) -> None:
    read, write = os.pipe()
    program = "import os; print(sorted(os.listdir('/dev/fd')), os.environb[b'WORD'], os.getcwd())"
    with os.fdopen(read) as printed:
        started = cell.start(
            [sys.executable, "-c", program], cwd=tmp_path, env={"WORD": "w\udcff"}, stdout=write
        )
        os.close(write)
        assert started.ended(DEADLINE_S)
        descriptors, told = printed.read().split("] ")
    # Its own look at the folder is the fourth.
    assert descriptors == "['0', '1', '2', '3'"
    assert told == f"b'w\\xff' {tmp_path}\n"
    started.close()


def test_after_the_keeper_was_killed_there_is_another(cell: Cell, tmp_path: Path) -> None:
    control = cells._KEEPER._control
    for child in psutil.Process().children():
        # One of another test may be a zombie.
        with contextlib.suppress(psutil.NoSuchProcess):
            if "keeper.main" in " ".join(child.cmdline()):
                child.kill()
                child.wait(DEADLINE_S)
    with Cell() as other:
        started = other.start([sys.executable, "-c", ""], cwd=tmp_path, env={})
        assert started.ended(DEADLINE_S)
        started.close()
    assert cells._KEEPER._control is not control or control is None


def test_nothing_is_started_after_the_end_of_all(cell: Cell, tmp_path: Path) -> None:
    started = cell.start(["/bin/sleep", "600"], cwd=tmp_path, env={})
    waiting = threading.Thread(target=started.ended, args=(None,))
    waiting.start()
    try:
        cells.end_all()
        waiting.join(DEADLINE_S)
        assert started.poll() == -signal.SIGKILL
        with pytest.raises(BrokenOffError):
            Cell().start(["/bin/true"], cwd=tmp_path, env={})
    finally:
        cells.begin_again()
        started.close()


@pytest.mark.parametrize(
    ("argv", "cwd"), [(["/no/such/program"], "/"), (["/bin/sh"], "/no/such/folder")]
)
def test_what_cannot_be_started_is_told(cell: Cell, argv: list[str], cwd: str) -> None:
    with pytest.raises(FileNotFoundError, match="/no/such/"):
        cell.start(argv, cwd=Path(cwd), env={})


def test_only_what_nobody_uses_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    used, young, left = folders.make("used"), folders.make("young"), folders.make("left")
    (foreign := tmp_path / "cc-otel-else").mkdir()
    for folder in (young, left):
        os.close(folders._HELD.pop(folder))
    long_ago = time.time() - sweeping.YOUNG_S - 60
    for folder in (used, left, foreign):
        os.utime(folder, (long_ago, long_ago))
    (left / "home").mkdir()
    os.utime(left, (long_ago, long_ago))
    process = subprocess.Popen(["/bin/sleep", "600"], env={"HOME": str(left / "home")})
    try:
        sweeping.sweep(tmp_path)
        assert process.wait(DEADLINE_S) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
    assert {used, young, foreign} == set(tmp_path.iterdir())
    for folder in (used, young):
        folders.remove(folder)
