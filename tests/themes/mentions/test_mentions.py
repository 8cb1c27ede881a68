"""Which mentions of a prompt were logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.themes.mentions.measures import mentions
from harness.themes.mentions.observed import Mentioned

if TYPE_CHECKING:
    from tests.conftest import Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
THERE = as_observed(Mentioned({"file": 2, "directory": 1}))
FILE, FOLDER, GONE = ("file", "true"), ("directory", "true"), ("file", "false")


def _measured(viewer: Viewer, logged: list[tuple[str, str]], **run: object) -> dict[str, object]:
    events = [
        {
            "body": "claude_code.at_mention",
            "attributes": {"event.name": "at_mention", "mention_type": kind, "success": success},
        }
        for kind, success in logged
    ]
    known = {"truth": ASKED, "observed": THERE, **run}
    view = viewer(events=events, **known)
    return {
        item.view["mention_type"]: (item.view["missing"], item.view["extra"])
        for item in mentions(view.capture)
    }


@pytest.mark.parametrize(
    ("logged", "measured"),
    [
        ([FILE, FILE, FOLDER, GONE], {"file": (0, 0), "directory": (0, 0)}),
        ([FILE, FOLDER], {"file": (1, 0), "directory": (0, 0)}),
        ([FILE, FILE, FILE], {"file": (0, 1), "directory": (1, 0)}),
        ([FILE, FILE, FOLDER, ("agent", "true")], {"agent": (0, 1)}),
        ([], {"file": (2, 0), "directory": (1, 0)}),
    ],
    ids=["all", "one missing", "one extra", "another type", "nothing logged"],
)
def test_mentions_are_held_to_what_was_there(
    viewer: Viewer, logged: list[tuple[str, str]], measured: dict[str, object]
) -> None:
    assert measured.items() <= _measured(viewer, logged).items()


def test_a_session_that_asked_nothing_or_mentioned_nothing_says_nothing(viewer: Viewer) -> None:
    assert _measured(viewer, [FILE], truth=GroundTruth()) == {}
    assert _measured(viewer, [FILE], observed={}) == {}
