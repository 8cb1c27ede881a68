"""When enough has failed: so many promises that fail the run, or runs that could not be made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from harness.assessment.stopping import Stopping, failing
from harness.capture.capture import Capture
from harness.contract.requirement import Requirement
from harness.errors import SubjectError
from harness.findings import Impact, Level
from harness.record.summary import STOPPED, RecordingSummary, RunOutcome, RunSummary

Viewer = Callable[..., Any]


def stopping(most: int, broken: Mapping[str, Collection[str]]) -> Stopping:
    return Stopping(most, lambda capture, _: broken.get(capture.run.scenario, ()), ())


def test_each_promise_counts_once(viewer: Viewer) -> None:
    def capture(scenario: str) -> Capture:
        made: Capture = viewer(scenario=scenario).capture
        return made

    ask = stopping(2, {"one": ["a.b"], "two": ["a.b"], "three": ["c.d", "a.b"]})
    assert [ask(capture(name)) for name in ("none", "one", "two")] == [""] * 3
    assert ask(capture("three")) == f"{STOPPED}three over http/json breaks a.b"


def test_a_run_that_could_not_be_made_counts() -> None:
    assert stopping(1, {})(SubjectError("it died")) == (
        f"{STOPPED}a run could not be driven to its end"
    )


def test_only_what_fails_the_run_is_looked_for(
    requirement: Callable[..., Requirement],
) -> None:
    must = requirement("valid")
    should = replace(must, level=Level.SHOULD, impact=Impact.FORM)
    asked = replace(must, level=Level.SHOULD, impact=Impact.PRIVACY)
    assert failing([must, should, asked], [Impact.PRIVACY]) == (must, asked)
    assert failing([must, should, asked], []) == (must,)


def test_a_recording_knows_that_it_was_stopped() -> None:
    runs = [RunSummary("a", RunOutcome.SKIPPED, reason=why) for why in ("no npm", f"{STOPPED}x")]
    assert RecordingSummary(runs=tuple(runs)).stopped == f"{STOPPED}x"
    assert RecordingSummary(runs=tuple(runs[:1])).stopped == ""
