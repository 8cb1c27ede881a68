"""In jobs of GitHub and GitLab, and for what reads JUnit files, a run says how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.findings import Verdict
from harness.plugin.junit import WAITED_S, JUnitPlugin
from harness.record import jsonl
from harness.report import code_quality

JudgeAgain = Callable[..., pytest.RunResult]

REDACTED = "events.user_prompt.prompt.redacted_by_default"


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a step of a job of GitHub; this is the file of its summary."""
    path = tmp_path / "step-summary.md"
    path.write_text("Said by others.\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_failure_is_told_wherever_teams_look(
    judge_again: JudgeAgain, pytester: pytest.Pytester, step: Path
) -> None:
    result = judge_again("--cc-report=out", "--junit-xml=junit.xml", told=True)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    commands = [line for line in result.outlines if line.startswith("::")]
    assert [line.partition(" title=")[0] for line in commands] == ["::error", "::error"]
    assert commands[1].startswith(f"::error title=privacy%3A {REDACTED}::The prompt is not shown")
    assert '%0Aseen "Fix it" (string)%0A' in commands[1]
    # What is decided by is the last thing on the screen all the same.
    assert result.outlines.index(commands[1]) < result.outlines.index(
        "FAILED: 1 of 27 requirements fail the run"
    )
    text = step.read_text(encoding="utf-8")
    assert text.startswith("Said by others.\n# Telemetry of reference (claude ")
    assert f"### FAIL `{REDACTED}`" in text
    (entry,) = json.loads((pytester.path / "out" / code_quality.FILE_NAME).read_text())
    assert (entry["check_name"], entry["severity"]) == (REDACTED, "blocker")
    check_junit(pytester.path / "junit.xml", jsonl.read(pytester.path / "out" / jsonl.FILE_NAME))


def check_junit(path: Path, record: jsonl.RunRecord) -> None:
    suite = ElementTree.parse(path).getroot()[0]
    facts = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
    assert (facts["subject"], facts["version"]) == ("reference", record.header.subject.version)
    assert facts["runs"] == "1"
    assert facts["recording_s"] == f"{record.header.recording_s:.3f}"
    rows = {row.requirement: row for row in record.rows}
    cases = suite.findall("testcase")
    assert len(cases) == len(rows)
    for case in cases:
        row = rows[str(case.get("name"))]
        told = {each.get("name"): each.get("value") for each in case.iter("property")}
        assert told["verdict"] == row.verdict.value
        assert row.impact is not None
        assert told["impact"] == row.impact.value
        assert told.get("link", "") == row.url
        assert (case.find("failure") is not None) is (row.verdict is Verdict.FAIL)


def test_waiting_for_the_recording_is_no_time_of_an_item() -> None:
    """What reporters are shown; afterwards it has the whole time again, for ``--durations``."""
    report = pytest.TestReport("a.b", ("a.b", None, ""), {}, "passed", None, "setup", duration=5.0)
    setattr(report, WAITED_S, 4.5)
    shown = JUnitPlugin(dict).pytest_runtest_logreport(report)
    next(shown)
    assert report.duration == 0.5
    with pytest.raises(StopIteration):
        shown.send(None)
    assert report.duration == 5.0


def test_nobody_is_told_elsewhere(
    judge_again: JudgeAgain, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where it is forbidden, nor of what was only collected."""
    for options in (("-p", "no:cc-otel-github"), ("--co", "-q")):
        judge_again(*options, told=True)
    monkeypatch.delenv("GITHUB_ACTIONS")
    result = judge_again(told=True)
    assert step.read_text(encoding="utf-8") == "Said by others.\n"
    assert not any(line.startswith("::") for line in result.outlines)


def test_a_summary_that_cannot_be_written_is_told(
    judge_again: JudgeAgain, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step / "none"))
    result = judge_again()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["no summary of the step: *"])
