"""Whose id a session that goes on with an earlier one sends, and where it begins to count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.themes.resuming.measures import resumption
from harness.themes.resuming.observed import Resumption

if TYPE_CHECKING:
    from tests.conftest import Viewer

GOES_ON = as_observed(Resumption("one"))


def event(session: str, sequence: int | str) -> dict[str, Any]:
    return {"attributes": {"session.id": session, "event.sequence": sequence}}


@pytest.mark.parametrize(
    ("events", "measured"),
    [
        ([event("one", 0), event("one", 1)], {"session_id": "earlier", "first_sequence": 0}),
        ([event("two", "5"), event("two", "4")], {"session_id": "new", "first_sequence": 4}),
        ([event("one", 0), event("two", 1)], {"session_id": "several", "first_sequence": 0}),
        ([{"attributes": {"event.sequence": 3}}], {"first_sequence": 3}),
    ],
    ids=["kept", "new", "both", "no id"],
)
def test_ids_and_numbers_are_held_to_the_earlier_session(
    viewer: Viewer, events: list[dict[str, Any]], measured: dict[str, Any]
) -> None:
    (item,) = resumption(viewer(events=events, observed=GOES_ON).capture)
    assert item.view == measured


def test_a_data_point_tells_a_session_as_well(viewer: Viewer) -> None:
    points = [("claude_code.session.count", 1.0, {"session.id": "two"})]
    (item,) = resumption(viewer(points=points, observed=GOES_ON).capture)
    assert item.view == {"session_id": "new"}


def test_a_run_that_sent_nothing_or_goes_on_with_nothing_says_nothing(viewer: Viewer) -> None:
    assert resumption(viewer(observed=GOES_ON).capture) == []
    assert resumption(viewer(events=[event("one", 0)]).capture) == []
