"""A collector that we start: how it may fail, and that each failure is told with its log."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.relay.endpoint import Endpoint
from harness.relay.process import CollectorFault, CollectorProcess
from harness.relay.target import Started, Target, check, started
from harness.running.drive import closed_port

#: Prints, and then does what is to be seen.
_PYTHON = (sys.executable, "-c")


def process(folder: Path, code: str) -> CollectorProcess:
    return CollectorProcess((*_PYTHON, code), folder / "collector.log", {})


def test_one_that_is_never_ready_is_told_with_its_log(tmp_path: Path) -> None:
    code = "import time; print('waiting for a licence', flush=True); time.sleep(600)"
    with process(tmp_path, code) as running:
        running.await_ready(lambda: "" if "licence" in running.log else "no log yet", 120)
        with pytest.raises(CollectorFault) as raised:
            running.await_ready(lambda: "nothing listens on a:1", 0.05)
        assert str(raised.value) == (
            "the collector is not ready after 0.05 s: nothing listens on a:1\n"
            "its log:\nwaiting for a licence"
        )


def test_one_that_ends_before_it_is_ready_is_told_at_once(tmp_path: Path) -> None:
    with process(tmp_path, "raise SystemExit('bad configuration')") as running:
        with pytest.raises(CollectorFault) as raised:
            running.await_ready(lambda: "nothing listens on a:1", 600)
        assert str(raised.value) == (
            "the collector ended by itself before it was ready (nothing listens on a:1), with exit "
            "code 1\nits log:\nbad configuration"
        )


def test_one_that_does_not_end_is_killed_and_told(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ignoring', flush=True); time.sleep(600)"
    )
    with process(tmp_path, code) as running:
        running.await_ready(lambda: "" if "ignoring" in running.log else "no log yet", 120)
        assert running.stop(0.05) == "it did not end within 0.05 s after SIGTERM"
        assert not running.alive


def test_all_of_its_log_is_read_not_only_the_end(tmp_path: Path) -> None:
    code = "for number in range(100_000): print('line', number)"
    with process(tmp_path, code) as running:
        with pytest.raises(CollectorFault):
            running.await_ready(lambda: "it has not ended", 120)
        lines = [line.strip() for line in running.log_lines()]
    assert lines == [f"line {number}" for number in range(100_000)]
    assert not running.log.startswith("line 0\n")


def test_one_that_runs_already_and_goes_is_told() -> None:
    with closed_port() as port:
        nobody = Endpoint("http", "127.0.0.1", port)
        fault = f"nothing takes connections at {nobody.url} any more"
        with pytest.raises(CollectorFault, match=fault):
            Started((nobody,)).check_alive("in the run passing over grpc")
    assert ([*Started((nobody,)).log_lines()], Started((nobody,)).quoted()) == ([], "")


def test_a_command_that_cannot_work_is_refused_before_it_is_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    target = Target(command=f"touch {shlex.quote(str(ran))}")
    with pytest.raises(UsageError, match="a place for the port"):
        check(target)
    with pytest.raises(UsageError, match="a place for the port"), started(target, ()):
        pass
    assert not ran.exists()


#: As the OpenTelemetry Collector prints it.
STACK = """\
2026-11-27T07:07:47.168Z\terror\tinternal/queue_sender.go:49\tExporting failed. Dropping data.
go.opentelemetry.io/collector/exporter/exporterhelper/internal.NewQueueSender.func1
\tgo.opentelemetry.io/collector/exporter/exporterhelper@v0.161.0/internal/queue_sender.go:62
sync.(*WaitGroup).Go.func1
\tsync/waitgroup.go:258
2026-11-27T07:07:48.168Z\tinfo\tshutting down
"""


def test_a_stack_is_left_out_of_what_is_quoted(tmp_path: Path) -> None:
    with process(tmp_path, f"print({STACK!r}, end='')") as running:
        with pytest.raises(CollectorFault):
            running.await_ready(lambda: "it has not ended", 120)
        assert running.quoted().splitlines() == [
            "",
            "its log:",
            "2026-11-27T07:07:47.168Z\terror\tinternal/queue_sender.go:49\tExporting failed. "
            "Dropping data.",
            "2026-11-27T07:07:48.168Z\tinfo\tshutting down",
        ]
