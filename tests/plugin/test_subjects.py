"""Subjects that misbehave: each ends with a non-zero exit code and says why."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.findings import Verdict
from harness.record import jsonl as record
from tests import hanging

Run = Callable[..., pytest.RunResult]
Subject = Callable[..., Path]

_POST = """\
import os, urllib.error, urllib.request
def post(path, body):
    if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
        return  # needs more than the standard library
    request = urllib.request.Request(
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + path,
        body,
        {"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as error:
        error.close()
"""


@pytest.fixture
def judged(pytester: pytest.Pytester, run_one: Run) -> Callable[..., pytest.RunResult]:
    """Run the suite on a subject; the record is checked to be whole."""

    def make(binary: Path, *arguments: str) -> pytest.RunResult:
        result = run_one(f"--cc-binary={binary}", "--cc-report=out", "-v", *arguments)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        found = record.read(pytester.path / "out" / "record.jsonl")
        assert found.footer is not None
        assert (found.footer.failed, found.footer.exit_code) == (True, 1)
        return result

    return make


def verdicts(pytester: pytest.Pytester) -> dict[str, Verdict]:
    rows = record.read(pytester.path / "out" / "record.jsonl").rows
    return {row.requirement: row.verdict for row in rows}


@pytest.mark.slow
def test_one_that_exits_at_once(
    judged: Callable[..., pytest.RunResult], subject: Subject, pytester: pytest.Pytester
) -> None:
    result = judged(subject("sys.exit('no licence found')"))
    result.stdout.fnmatch_lines(
        [
            "claude 2.1.240 ended with exit code 1 *",
            "no licence found",
            "FAILED: nothing was exercised; 3 runs could not be driven to the end",
        ]
    )
    assert set(verdicts(pytester).values()) == {Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE}


@pytest.mark.slow
def test_one_that_hangs(
    judged: Callable[..., pytest.RunResult],
    subject: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugin, marks = tmp_path / "deadlines_pass.py", tmp_path / "marks"
    marks.mkdir()
    plugin.write_text(
        f"{Path(hanging.__file__).read_text(encoding='utf-8')}\n\n"
        f"let_deadlines_pass(Path({str(marks)!r}))\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    hang = hanging.Marks(marks).hang.in_python
    binary = subject(f"import signal\nprint('thinking', flush=True)\n{hang}\nsignal.pause()")
    result = judged(binary, "--cc-deadline=1", "-k", "transport", "-p", plugin.stem)
    result.stdout.fnmatch_lines(
        ["claude 2.1.240 did not end *within 1 s", "thinking", "FAILED: nothing was exercised; *"]
    )


def test_one_that_exports_nothing(
    judged: Callable[..., pytest.RunResult], subject: Subject
) -> None:
    result = judged(subject())
    result.stdout.fnmatch_lines(
        ["exports    grpc 0, http/protobuf 0, http/json 0 *", "FAILED: nothing was exercised*"]
    )


def test_one_that_exports_garbage(
    judged: Callable[..., pytest.RunResult], subject: Subject, pytester: pytest.Pytester
) -> None:
    result = judged(subject(f"{_POST}\npost('/v1/metrics', b'{{garbage')"), "-k", "transport")
    assert verdicts(pytester)["transport.accepted"] is Verdict.FAIL
    result.stdout.fnmatch_lines(["  FAIL transport.accepted", "*body is not JSON*"])


@pytest.mark.slow
def test_one_that_exports_to_a_wrong_path(
    judged: Callable[..., pytest.RunResult], subject: Subject, pytester: pytest.Pytester
) -> None:
    result = judged(subject(f"{_POST}\npost('/v1/metricz', b'{{}}')"), "-k", "transport")
    assert verdicts(pytester)["transport.accepted"] is Verdict.FAIL
    assert "/v1/metricz" in result.stdout.str()


@pytest.mark.slow
def test_two_runs_at_once(pytester: pytest.Pytester) -> None:
    """Side by side on one machine they share nothing that matters."""
    commands = [
        (
            *("--cc-binary=reference", "-k", "transport", "--cc-scenarios=working_day"),
            *(f"--cc-report={name}", f"--cc-captures={name}"),
        )
        for name in ("one", "two")
    ]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda command: pytester.run(*_pytest(), *command), commands))
    assert [result.ret for result in results] == [0, 0]
    one, two = (record.read(pytester.path / name / "record.jsonl") for name in ("one", "two"))
    assert [row.verdict for row in one.rows] == [row.verdict for row in two.rows]


def _pytest() -> tuple[str, ...]:
    return (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error")


@pytest.mark.slow
def test_one_that_cannot_be_driven_through_a_scenario(
    judged: Callable[..., pytest.RunResult], emitter: Subject, pytester: pytest.Pytester
) -> None:
    """The others are judged; its own requirements say why they were not."""
    binary = emitter('case "$*" in *stream-json*) echo "no such mode" >&2; exit 3;; esac')
    result = judged(
        *(binary, "--cc-scenarios=working_day,api_failures", "-k", "user_prompt"),
        "--junit-xml=junit.xml",
    )
    result.stdout.fnmatch_lines(
        [
            "claude * could not be driven through api_failures over http/protobuf: *",
            "no such mode",
            "FAILED: 1 run could not be driven to the end",
        ]
    )
    found = record.read(pytester.path / "out" / "record.jsonl")
    rows = {row.requirement: row for row in found.rows}
    assert rows["events.user_prompt.exported"].verdict is Verdict.PASS
    name = "events.user_prompt.exported_in_a_conversation"
    row = rows[name]
    assert row.verdict is Verdict.NOT_EXERCISED
    assert row.reason.endswith("(not driven to the end: api_failures over http/protobuf)")
    skipped = ElementTree.parse(pytester.path / "junit.xml").find(f".//*[@name='{name}']/skipped")
    assert skipped is not None
    assert skipped.get("message") == f"not exercised: {row.reason}"
    assert set(found.header.runs) == {
        f"working_day over {protocol}" for protocol in ("grpc", "http/protobuf", "http/json")
    }
