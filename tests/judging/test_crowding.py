"""What fails on a crowded machine alone is the machine's error."""

from __future__ import annotations

import pytest

from harness.capture.run import CROWDED, Run, SubjectFacts
from harness.errors import UsageError
from harness.findings import Finding, Level, RunName, Verdict
from harness.judging.crowding import VARIABLE, withhold
from harness.judging.verdicts import Row, fails_the_run
from harness.otlp.model import Protocol

BUSY, QUIET = CROWDED + 0.1, CROWDED


@pytest.fixture(autouse=True)
def default_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)


def run(crowding: float, scenario: str = "intervals_short") -> Run:
    subject = SubjectFacts("npm:2.1.31", "/claude", "2.1.31")
    return Run(scenario, Protocol.GRPC, subject, (), {}, 1, 2, 0, "", "", crowding=crowding)


def row(*scenarios: str, level: Level = Level.MUST, verdict: Verdict = Verdict.FAIL) -> Row:
    findings = tuple(
        Finding("2 s", "3 s", "somewhere", runs=(RunName(scenario, Protocol.GRPC),))
        for scenario in scenarios
    )
    return Row("a.promise", level, verdict, "It is kept.", "a document", findings=findings)


def test_the_machine_is_to_blame() -> None:
    failed = row("intervals_short")
    withheld = withhold(failed, [run(BUSY)])
    assert withheld.verdict is Verdict.ERROR
    assert fails_the_run(withheld), "nothing seen is never a pass"
    assert withheld.findings == failed.findings
    assert withheld.reason == (
        "the machine was too busy to blame the subject: on average 16.1 processes per core wanted "
        "to run in intervals_short over grpc (at most 16 for a verdict of fail); run it again "
        "beside less other work"
    )


def test_what_would_warn_is_not_exercised() -> None:
    withheld = withhold(row("intervals_short", level=Level.SHOULD), [run(BUSY)])
    assert withheld.verdict is Verdict.NOT_EXERCISED
    assert "too busy" in withheld.reason


@pytest.mark.parametrize(
    "runs",
    [
        [run(QUIET)],
        [run(0.0)],
        [run(BUSY), run(QUIET)],
        [],
        [run(BUSY, "other")],
    ],
    ids=["quiet", "nobody looked", "one of several drawn", "none kept", "another run was busy"],
)
def test_the_subject_is_to_blame(runs: list[Run]) -> None:
    failed = row("intervals_short")
    assert withhold(failed, runs) == failed


def test_one_quiet_run_is_enough_to_blame_the_subject() -> None:
    failed = row("intervals_short", "working_day")
    assert withhold(failed, [run(BUSY), run(QUIET, "working_day")]) == failed
    assert withhold(failed, [run(BUSY), run(BUSY, "working_day")]).verdict is Verdict.ERROR


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.FAIL])
def test_other_verdicts_stand(verdict: Verdict) -> None:
    kept = row("intervals_short", verdict=verdict)
    assert withhold(kept, [run(BUSY)]) == kept


def test_another_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "100")
    assert withhold(row("intervals_short"), [run(99)]).verdict is Verdict.FAIL
    assert "(at most 100 for" in withhold(row("intervals_short"), [run(101)]).reason


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan"])
def test_a_bound_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    expected = f"{VARIABLE}: expected a number of processes per core, saw '{text}'"
    with pytest.raises(UsageError, match=expected):
        withhold(row("intervals_short"), [run(BUSY)])
