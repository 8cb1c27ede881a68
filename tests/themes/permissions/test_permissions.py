"""Which decision was logged after each answer of a permission tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.themes.permissions.measures import permission_answers
from harness.themes.permissions.observed import Answers

if TYPE_CHECKING:
    from tests.conftest import Viewer

GIVEN = as_observed(Answers({"one": "allowed", "two": "denied"}))


def decision(tool: str | None, decided: str, source: str) -> dict[str, Any]:
    attributes = {"event.name": "tool_decision", "decision": decided, "source": source}
    return {"attributes": attributes if tool is None else {**attributes, "tool_use_id": tool}}


ONE, TWO = decision("one", "accept", "user_temporary"), decision("two", "reject", "user_reject")


@pytest.mark.parametrize(
    ("events", "logged"),
    [
        ([ONE, TWO], ["accept by user_temporary", "reject by user_reject"]),
        ([TWO], ["nothing", "reject by user_reject"]),
        ([ONE, ONE, TWO], ["several", "reject by user_reject"]),
        ([decision(None, "accept", "config")], []),
    ],
    ids=["each", "one missing", "one twice", "without ids"],
)
def test_each_answer_is_joined_to_its_decision(
    viewer: Viewer, events: list[dict[str, Any]], logged: list[str]
) -> None:
    items = permission_answers(viewer(events=events, observed=GIVEN).capture)
    assert [item.view["logged"] for item in items] == logged
