from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.capture import files
from harness.errors import UsageError
from harness.record import jsonl as record
from tests.processes import DEADLINE_S, assert_gone, until

Subject = Callable[..., Path]

#: Three processes of a distributed session import everything before a subject is started.
BEGUN_S = 5 * DEADLINE_S


#: Over gRPC it hangs and says that it does; over HTTP it ends at once.
HANGING = """\
import os, pathlib, signal
here = pathlib.Path(__file__).parent
if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
    part = here / "pid.part"
    part.write_text(str(os.getpid()))
    part.rename(here / "pid")
    signal.pause()
"""


@contextmanager
def session(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-W", "error", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "distributed"])
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c(pytester: pytest.Pytester, subject: Subject, workers: list[str]) -> None:
    binary = subject(HANGING)
    pid_file = binary.parent / "pid"
    kept = pytester.path / "kept"
    options = (
        *(f"--cc-binary={binary}", "--cc-scenarios=working_day"),
        *("--cc-report=out", "--cc-captures=kept", *workers),
    )
    with session(pytester.path, *options) as process:
        until(pid_file.exists, "the subject", BEGUN_S)
        until(lambda: len(list(kept.glob("*/capture.json"))) == 2, "two captures")
        # As a terminal does: to every process of the group.
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert_gone(int(pid_file.read_text()))
    captures = [files.load(path.parent) for path in kept.glob("*/capture.json")]
    assert {str(capture.run.protocol) for capture in captures} == {"http/json", "http/protobuf"}
    assert "broken off: " in output
    with pytest.raises(UsageError, match="no footer"):
        record.read(pytester.path / "out" / "record.jsonl")


#: It hangs over each protocol.
HANGING_ALWAYS = HANGING.replace(' == "grpc"', "")


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_a_cli_and_the_collector_behind_it(
    pytester: pytest.Pytester, subject: Subject, tmp_path: Path
) -> None:
    binary = subject(HANGING_ALWAYS)
    pid_file = binary.parent / "pid"
    collector = (
        f"{sys.executable} {Path(__file__).with_name('passing_on.py')} --says={tmp_path} "
        "--http-in={http_in} --http-out={http_out}"
    )
    options = (
        *(f"--cc-collector-cmd={collector}", f"--cc-binary={binary}", "--cc-deadline=600"),
        *("--cc-scenarios=live_working_day", "--cc-protocols=http/json", "--cc-captures=kept"),
    )
    with session(pytester.path, *options) as process:
        until(pid_file.exists, "the subject", BEGUN_S)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert_gone(int(pid_file.read_text()))
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"--says={tmp_path}" not in listed.stdout
    assert "broken off: " in output


#: Leaves a child that nobody finds by its parent, its session or its environment, says who they
#: are, and hangs.
LEAVING = """\
import os, pathlib, signal, subprocess, sys
here = pathlib.Path(__file__).parent
child = subprocess.Popen(
    [sys.executable, "-I", "-S", "-c", "import os, signal; os.fork() and os._exit(0);"
     "print(os.getpid(), flush=True); signal.pause()"],
    stdout=subprocess.PIPE, start_new_session=True, env={}, cwd="/")
orphan = int(child.stdout.readline())
child.wait()
part = here / "pids.part"
part.write_text(f"{os.getpid()} {orphan}")
part.rename(here / "pids")
signal.pause()
"""

ALONE: tuple[str, ...] = ()
SPREAD = ("-n", "2")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [
        (signal.SIGTERM, pytest.ExitCode.INTERRUPTED, ALONE),
        (signal.SIGTERM, pytest.ExitCode.INTERRUPTED, SPREAD),
        (signal.SIGKILL, -signal.SIGKILL, SPREAD),
    ],
)
def test_nothing_stays_whatever_ends_the_session(
    pytester: pytest.Pytester,
    subject: Subject,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
    workers: tuple[str, ...],
) -> None:
    """Each way to end is tried in tests/keeping; here is what a session adds to them."""
    binary = subject(LEAVING)
    pids = binary.parent / "pids"
    temporary = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    only = ("--cc-scenarios=working_day", "--cc-protocols=grpc", "--cc-deadline=600")
    with session(pytester.path, f"--cc-binary={binary}", *only, *workers) as process:
        until(pids.exists, "the subject", BEGUN_S)
        assert list(temporary.glob("cc-otel-*"))
        sent = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == code, output
    for pid in pids.read_text().split():
        assert_gone(int(pid))
    until(lambda: not list(temporary.glob("cc-otel-*")), "the temporary folders to be gone")
    # On a machine with nothing else to do, it is to be less than ten seconds.
    took = f"{number.name}: nothing was left after {time.monotonic() - sent:.1f} s\n"
    sys.stdout.write(took)
