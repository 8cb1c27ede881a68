"""A command that runs in our terminal, is told what we are told, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from harness.keeping.attended import attend
from tests.processes import assert_gone

#: Two Pythons and a shell start within it.
DEADLINE_S = 300

ATTENDING = (sys.executable, str(Path(__file__).with_name("attending.py")))

#: Starts a process in a session of its own, says its own and that one's number, and waits.
LEAVES = """
sleep 600 & setsid sleep 600 &
echo $$ $!
exec sleep 600
"""


#: Waits for an interrupt, and cannot miss it.
HEARS = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
print("ready", flush=True)
signal.sigwait({signal.SIGINT})
print("heard")
sys.exit(7)
"""


def started(*argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*ATTENDING, *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As of a shell: what comes from a terminal of the tests must not reach it.
        start_new_session=True,
    )


def test_its_streams_and_environment_are_ours(capfd: pytest.CaptureFixture[str]) -> None:
    command = ["sh", "-c", 'echo "out $NAME"; echo err >&2; exit 3']
    ended = attend(command, {**os.environ, "NAME": "value"})
    assert (ended.code, ended.left) == (3, 0)
    assert capfd.readouterr() == ("out value\n", "err\n")
    assert attend(["sh", "-c", "echo out; kill -9 $$"], os.environ, to_stderr=True).code == -9
    assert capfd.readouterr() == ("", "out\n")


def test_standard_input_is_passed_on() -> None:
    with started("cat") as process:
        out, err = process.communicate("a line\n", timeout=DEADLINE_S)
    assert (out, err, process.returncode) == ("a line\nended 0 left 0\n", "", 0)


def test_what_cannot_be_started_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        attend(["/nowhere"], os.environ)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")
def test_what_it_leaves_behind_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    command = "setsid sleep 600 > /dev/null 2>&1 & echo $!"
    assert attend(["sh", "-c", command], os.environ).left == 1
    assert_gone(int(capfd.readouterr().out))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_we_are_ended(number: signal.Signals) -> None:
    with started("sh", "-c", LEAVES) as process:
        try:
            assert process.stdout is not None
            pids = [int(each) for each in process.stdout.readline().split()]
            process.send_signal(number)
            process.wait(timeout=DEADLINE_S)
        finally:
            process.kill()
    for pid in pids:
        assert_gone(pid)
    assert process.returncode == (-9 if number == signal.SIGKILL else 1)


def test_an_interrupt_is_passed_on_where_no_terminal_does() -> None:
    with started(sys.executable, "-S", "-c", HEARS) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            out = process.stdout.read()
        finally:
            process.kill()
    assert out == "heard\nended 7 left 0\n"


def test_the_terminal_is_the_commands_and_is_given_back() -> None:
    # It changes the terminal, hears Ctrl-C by itself, once, and ends without changing it back.
    script = (
        "trap 'n=${n}x' INT; stty -echo; test -t 0 && echo ready; read a; read b; echo got $n $b"
    )
    child = pexpect.spawn(
        ATTENDING[0], [ATTENDING[1], "bash", "-c", script], timeout=DEADLINE_S, encoding="utf-8"
    )
    try:
        child.expect_exact("ready")
        child.sendintr()
        child.sendline("one")
        child.sendline("two")
        child.expect(r"got x (one|two)\r\nended 0 left 0")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
