"""Lies by kind, told in small captures made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.contract.requirement import Selector
from harness.judging.items.view import CaptureView
from harness.mutants.fields import Field
from harness.mutants.kinds import Untellable
from harness.mutants.stage import Same, Stage
from harness.mutants.telling import Extent, Telling, tell

EVENT = Selector("event", "api_request")
COST = Field(EVENT, ("attributes", "cost_usd"))
METRIC = Field(Selector("metric", "claude_code.cost.usage"), ("value",))

Viewer = Callable[..., CaptureView]


def event(sequence: int, **attributes: Any) -> dict[str, Any]:
    named = {"event.name": "api_request", "event.sequence": sequence, **attributes}
    return {"body": "claude_code.api_request", "attributes": named}


def values(capture: Capture, key: str) -> list[Any]:
    return [event.attributes.get(key) for event in capture.events("api_request")]


def told(
    captures: Sequence[Capture],
    field: Field,
    kind: str,
    extent: Extent = Extent.ALL,
    same: Sequence[Same] = (),
) -> Capture:
    stage = Stage(captures, [COST, METRIC, field], same)
    return tell(stage, Telling(field, kind, extent, "working_day", "other"))[0]


@pytest.fixture
def capture(viewer: Viewer) -> Capture:
    return viewer(
        events=[event(0, cost_usd=0.25), event(1, cost_usd=0.5), event(2)],
        points=[("claude_code.cost.usage", 0.75, {})],
    ).capture


@pytest.mark.parametrize(
    ("kind", "extent", "after"),
    [
        ("dropped", Extent.ONE, [0.25, None, None]),
        ("dropped", Extent.ALL, [None, None, None]),
        ("constant", Extent.ALL, [0.25, 0.25, None]),
        ("swapped", Extent.ONE, [0.5, 0.25, None]),
        ("scaled", Extent.ONE, [0.25, 500.0, None]),
        ("scaled", Extent.ALL, [250.0, 500.0, None]),
        ("misplaced", Extent.ONE, [0.25, 0.5, 0.5]),
    ],
)
def test_a_lie_goes_as_far_as_it_says(
    capture: Capture, kind: str, extent: Extent, after: list[Any]
) -> None:
    assert values(told([capture], COST, kind, extent), "cost_usd") == after
    assert values(capture, "cost_usd") == [0.25, 0.5, None]


def test_the_same_lie_is_told_wherever_the_same_is_said(capture: Capture) -> None:
    same = Same({COST.name: {}, METRIC.name: {}})
    liar = told([capture], COST, "both_places", same=[same])
    assert values(liar, "cost_usd") == [250.0, 500.0, None]
    assert [point.value for point in liar.data_points()] == [750.0]


def test_another_session_lends_its_values(capture: Capture, viewer: Viewer) -> None:
    events = [event(0, cost_usd=8.0)]
    other = viewer(events=events, scenario="toolbox").capture
    assert values(told([capture, other], COST, "other_session"), "cost_usd") == [8.0, 8.0, None]
    with pytest.raises(Untellable):
        told([capture], COST, "other_session")


def test_a_whole_item_is_left_out_or_sent_twice(capture: Capture) -> None:
    item = Field(EVENT, ())
    assert values(told([capture], item, "dropped", Extent.ONE), "event.sequence") == [0, 1]
    assert values(told([capture], item, "misplaced", Extent.ONE), "event.sequence") == [0, 1, 2, 2]
    assert len(told([capture], item, "dropped").exports) == len(capture.exports) - 1


def test_a_request_is_lied_about_beside_what_it_carries(capture: Capture) -> None:
    agent = Field(Selector("exports"), ("headers", "user-agent"))
    assert {e.header("user-agent") for e in told([capture], agent, "dropped").exports} == {None}
    assert {e.header("user-agent") for e in told([capture], agent, "other_case").exports} == {
        "TEST"
    }
    request = Field(Selector("exports"), ())
    twice = told([capture], request, "misplaced", Extent.ONE)
    assert [export.sequence for export in twice.exports] == [1, 2, 3]


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Field(EVENT, ("attributes", "model")), "dropped"),
        (Field(EVENT, ("attributes", "event.name")), "swapped"),
        (Field(EVENT, ("attributes", "event.name")), "misplaced"),
        (Field(EVENT, ("attributes", "event.name")), "both_places"),
        (Field(EVENT, ()), "shifted"),
        (Field(Selector("exports"), ("collector",)), "dropped"),
    ],
)
def test_some_lies_find_no_occasion(capture: Capture, field: Field, kind: str) -> None:
    with pytest.raises(Untellable):
        told([capture], field, kind)
