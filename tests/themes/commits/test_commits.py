"""For which command a commit or a pull request was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import GroundTruth, ToolRun
from harness.themes.commits.forms import FORMS
from harness.themes.commits.measures import credited
from harness.themes.commits.observed import Made

if TYPE_CHECKING:
    from tests.conftest import Point, Viewer

COMMIT, PULL_REQUEST = "claude_code.commit.count", "claude_code.pull_request.count"


def ran(name: str, asked: int) -> ToolRun:
    return ToolRun(
        "Bash",
        name,
        {"description": name},
        ok=True,
        asked_unix_nano=asked,
        returned_unix_nano=asked + 20,
    )


RAN = GroundTruth(tool_runs=(ran("first", 100), ran("second", 200), ran("third", 300)))
MADE = as_observed(Made({"first": 1, "second": 0}, {"third": 1}))


def counted(metric: str, begun: int, collected: int, value: float = 1.0) -> Point:
    return (metric, value, {}, {"start": begun, "time": collected})


@pytest.mark.parametrize(
    ("points", "off_by"),
    [
        ([counted(COMMIT, 115, 140), counted(PULL_REQUEST, 310, 340)], (0, 0, 0)),
        ([counted(COMMIT, 90, 130), counted(PULL_REQUEST, 280, 330)], (0, 0, 0)),
        ([counted(COMMIT, 115, 140, 2.0), counted(PULL_REQUEST, 310, 340)], (1, 0, 0)),
        ([counted(COMMIT, 115, 140), counted(COMMIT, 210, 230)], (0, 1, -1)),
        ([counted(COMMIT, 215, 260)], (-1, 1, -1)),
        ([counted(PULL_REQUEST, 400, 430)], (-1, 0, 0)),
    ],
    ids=["each", "begun before", "twice", "what made none", "another one", "after the last"],
)
def test_what_was_counted_is_held_to_the_command_that_ran(
    viewer: Viewer, points: list[Point], off_by: tuple[int, int, int]
) -> None:
    items = credited(viewer(points=points, truth=RAN, observed=MADE).capture)
    assert [item.view["form"] for item in items] == ["first", "second", "third"]
    assert tuple(item.view["off_by"] for item in items) == off_by


@pytest.mark.parametrize("facts", [{"observed": MADE}, {"points": [counted(COMMIT, 1, 2)]}])
def test_a_run_without_metrics_or_forms_says_nothing(viewer: Viewer, facts: Any) -> None:
    assert credited(viewer(truth=RAN, **facts).capture) == []


def test_each_form_is_known_again_by_its_name() -> None:
    names = [form.use.input.get("description", form.use.input.get("text")) for form in FORMS]
    assert names == [form.name for form in FORMS]
    assert len(set(names)) == len(names)
