"""The lies about what a run kept are told in its own captures, and what gets through is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.contract.requirement import DRAWN, MutantSpec, Requirement
from harness.contract.versions import VersionRange
from harness.findings import Verdict
from harness.judging.expectations import NO_EXPECTATIONS, Expectation, Expectations
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.judging.power import Doubt, Power
from harness.mutants import proof
from harness.mutants.mutate import mutate
from harness.mutants.proof import Proof, Told, exempt
from harness.themes.catalogue import MEASURES
from tests.conftest import Require, Viewer

NAME = "test.requirement"


def lying(promise: Requirement, *operations: Mapping[str, object]) -> Requirement:
    lies = [MutantSpec(NAME, n, each, (NAME,)) for n, each in enumerate(operations, start=1)]
    return replace(promise, mutants=tuple(lies))


def event(**attributes: Any) -> dict[str, Any]:
    named = {"event.name": "user_prompt", **attributes}
    return {"body": "claude_code.user_prompt", "attributes": named}


@pytest.fixture
def colour(requirement: Require) -> Requirement:
    """A promise about an attribute; its schema is what a test makes of it."""
    return requirement("valid_if_present", path=("attributes", "colour"))


@pytest.fixture
def view(viewer: Viewer) -> CaptureView:
    return viewer(events=[event(colour="red")])


def told(
    judge: Judge,
    views: Sequence[CaptureView],
    promise: Requirement,
    listed: Expectations = NO_EXPECTATIONS,
) -> tuple[Told, ...]:
    return Proof(judge, views, MEASURES, {}, listed).told(promise)


def test_a_promise_that_fails_each_lie_needs_no_exemption(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(replace(colour, schema={"enum": ["red"]}), {"set": "blue"}, {"set": 7})
    found = told(judge, [view], promise)
    assert [each.verdict for each in found] == [Verdict.FAIL, Verdict.FAIL]
    assert exempt(promise, found) is None


def test_a_promise_that_anything_keeps_is_named(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(colour, {"set": "blue"})
    found = exempt(promise, told(judge, [view], promise))
    assert found is not None
    assert (found.doubt, found.reason) == (Doubt.BLIND, f"missed: {NAME}~1")


def test_one_lie_of_two_that_is_missed_is_told(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(replace(colour, schema={"type": "string"}), {"set": "blue"}, {"set": 7})
    found = exempt(promise, told(judge, [view], promise))
    assert found is not None
    assert (found.doubt, found.reason) == (Doubt.PARTLY, f"missed: {NAME}~1; caught: {NAME}~2")


def test_what_there_is_no_occasion_for_is_not_told(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(replace(colour, path=("attributes", "size")), {"drop": True})
    (only,) = found = told(judge, [view], promise)
    assert only.verdict is None
    exemption = exempt(promise, found)
    assert exemption is not None
    assert exemption.doubt is Doubt.UNTOLD
    assert "nothing carries attributes.size" in exemption.reason


def test_what_a_list_would_excuse_is_told(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(replace(colour, schema={"enum": ["red"]}), {"set": "blue"})
    listed = Expectations([Expectation(NAME, VersionRange(), "It may.", "Seen.", True)])
    found = exempt(promise, told(judge, [view], promise, listed))
    assert found is not None
    assert found.doubt is Doubt.EXCUSED


def test_a_lie_that_one_run_hides_is_told_in_the_next(
    judge: Judge, viewer: Viewer, view: CaptureView, requirement: Require
) -> None:
    """A single item cannot differ from others."""
    same = requirement("constant", path=("attributes", "colour"))
    promise = lying(same, {"set": "blue"})
    several = viewer(events=[event(colour="red")] * 3)
    (only,) = told(judge, [view], promise)
    assert only.verdict is Verdict.PASS
    (found,) = told(judge, [several, view], promise)
    assert found.verdict is Verdict.FAIL


def test_drawn_runs_come_last(
    judge: Judge,
    viewer: Viewer,
    view: CaptureView,
    colour: Requirement,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []

    def noted(captures: Sequence[Capture], *rest: Any) -> tuple[Capture, ...]:
        asked.append(tuple(capture.run.scenario for capture in captures))
        return mutate(captures, *rest)

    monkeypatch.setattr(proof, "mutate", noted)
    large = viewer(events=[event(colour="red", more="x" * 100)], scenario="large")
    drawn = viewer(events=[event()], traits=(DRAWN,), scenario="fuzz")
    told(judge, [drawn, large, view], lying(replace(colour, scenarios=()), {"set": "blue"}))
    assert asked == [("working_day",), ("large",), ("working_day", "large", "fuzz")]


def test_the_captures_stay_as_they_were(
    judge: Judge, view: CaptureView, colour: Requirement
) -> None:
    promise = lying(replace(colour, schema={"enum": ["red"]}), {"set": "blue"})
    before = view.capture.exports
    told(judge, [view], promise)
    assert view.capture.exports == before
    assert judge.judge(promise, [view]).outcome.looked_at == 1  # type: ignore[union-attr]


def test_power_in_a_sentence() -> None:
    assert Power(1, 0, 2, 0.1).told == (
        "of 1 promise kept, 0 would have failed a lie about this run"
    )
    assert Power(588, 587, 900, 7.5).told == (
        "of 588 promises kept, 587 would have failed a lie about this run"
    )
