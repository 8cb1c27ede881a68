"""The recorder with small subjects of our own; real ones are judged in tests/suite."""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.capture.files import load
from harness.errors import SubjectError, UsageError
from harness.otlp.model import Protocol, Signal
from harness.scenarios.recorder import record, run_session
from harness.scenarios.scenario import Scenario
from harness.subject.binary import Binary

EXPORTING = """
import json, os, sys, urllib.request
def post(url, body):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request).read()
prompt = sys.argv[sys.argv.index("-p") + 1]
post(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", {
    "model": "m", "max_tokens": 1, "tools": [{"name": "Bash", "input_schema": {}}],
    "messages": [{"role": "user", "content": prompt}],
})
if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/json":
    post(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/logs", {"resourceLogs": [
        {"scopeLogs": [{"logRecords": [{"body": {"stringValue": "claude_code.user_prompt"}}]}]}
    ]})
print(os.getcwd(), sorted(os.listdir()))
"""

Maker = Callable[[str], Binary]


@pytest.fixture
def subject(tmp_path: Path) -> Maker:
    """Make a subject of a few lines of Python."""

    def make(code: str) -> Binary:
        path = tmp_path / "subject.py"
        path.write_text(code, encoding="utf-8")
        return Binary("test", (sys.executable, str(path)), str(path), "2.1.31")

    return make


def silent(line: str) -> None:
    """Take progress and say nothing."""


def test_every_protocol_is_run_and_kept(subject: Maker, tmp_path: Path) -> None:
    told: list[str] = []
    captures = record(subject(EXPORTING), progress=told.append, keep=tmp_path / "kept")
    assert [capture.run.protocol for capture in captures] == list(Protocol)
    (line,) = [line for line in told if line.startswith("running")]
    assert line == "running claude 2.1.31 over grpc, http/protobuf, http/json: working_day"
    by_protocol = {capture.run.protocol: capture for capture in captures}
    seen = by_protocol[Protocol.HTTP_JSON]
    (export,) = seen.exports
    assert export.signal is Signal.LOGS
    assert [event.body for event in export.events] == ["claude_code.user_prompt"]
    assert seen.run.exit_code == 0
    assert seen.run.truth.prompts == (
        "Please greet the world twice, commit it and open a pull request.",
    )
    assert by_protocol[Protocol.GRPC].exports == ()
    for capture in captures:
        folder = tmp_path / "kept" / f"working_day-{capture.run.protocol.replace('/', '-')}"
        assert load(folder) == capture


def test_a_session_of_ones_own(subject: Maker) -> None:
    capture = run_session(
        subject(EXPORTING),
        prompt="hello",
        script=(),
        protocol=Protocol.HTTP_JSON,
        env={"OTEL_LOG_USER_PROMPTS": "1"},
        files={"docs/note.txt": "x"},
    )
    assert capture.run.environment["OTEL_LOG_USER_PROMPTS"] == "1"
    assert capture.run.truth.prompts == ("hello",)
    assert "'docs'" in capture.run.stdout
    assert not Path(capture.run.stdout.split()[0]).exists(), "the sandbox is gone"


def test_files_stay_in_the_work_tree(subject: Maker) -> None:
    with pytest.raises(UsageError, match=r"files\['\.\./x'\]"):
        run_session(
            subject(EXPORTING),
            prompt="hello",
            script=(),
            protocol=Protocol.GRPC,
            files={"../x": ""},
        )


def test_a_subject_that_hangs_is_ended_and_quoted(subject: Maker) -> None:
    hanging = subject("print('last words', flush=True)\nimport signal\nsignal.pause()")
    with pytest.raises(SubjectError, match=r"did not end working_day over .* within 1 s") as failed:
        record(hanging, progress=silent, deadline_s=1)
    assert "last words" in str(failed.value)


def test_a_subject_that_dies_at_once_is_quoted(subject: Maker) -> None:
    with pytest.raises(SubjectError, match="exit code 3 before it asked the model") as failed:
        record(subject("print('no licence')\nraise SystemExit(3)"), progress=silent)
    assert "no licence" in str(failed.value)


def test_a_subject_that_does_nothing_is_a_run(subject: Maker) -> None:
    captures = record(subject(""), progress=silent)
    assert [capture.exports for capture in captures] == [(), (), ()]
    assert all(capture.run.truth.prompts == () for capture in captures)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_the_subjects_and_keeps_what_is_done(
    subject: Maker, tmp_path: Path
) -> None:
    """One scenario ends, the other hangs; then comes Ctrl-C."""
    fifo = tmp_path / "hanging"
    os.mkfifo(fifo)
    both = subject(
        "import sys\n"
        "if 'hang' in sys.argv:\n"
        f"    pipe = open({str(fifo)!r}, 'w')\n"
        "    print('hanging', file=pipe, flush=True)\n"
        "    import signal; signal.pause()\n"
    )
    kept = tmp_path / "kept"
    quick = Scenario("quick", "Ends.", "go", ())
    slow = Scenario("slow", "Hangs.", "hang", ())
    saved = kept / "quick-grpc" / "capture.json"
    ended = threading.Event()

    def watch() -> None:
        # The other end of the pipe is the hanging subject's: it closes when that dies.
        with fifo.open() as pipe:
            assert pipe.readline() == "hanging\n"
            deadline = time.monotonic() + 30
            while not saved.exists() and time.monotonic() < deadline:
                ended.wait(0.01)  # the file is the only sign that a run is over
            _thread.interrupt_main()
            pipe.read()
        ended.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        record(
            both,
            protocols=(Protocol.GRPC,),
            scenarios=(quick, slow),
            progress=silent,
            keep=kept,
        )
    assert ended.wait(10), "the hanging subject is still there"
    watcher.join()
    assert load(kept / "quick-grpc").run.scenario == "quick"
