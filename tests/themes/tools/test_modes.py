"""Which changes of the permission mode were logged, against what the screen showed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.themes.tools.measures import modes_changed
from harness.themes.tools.observed import Switched

if TYPE_CHECKING:
    from tests.conftest import Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
SHOWN = as_observed(Switched("acceptEdits", "plan"))
RIGHT = ("acceptEdits", "plan")


def views(viewer: Viewer, *modes: tuple[str, str], **run: Any) -> list[Mapping[str, Any]]:
    """Measure changes of modes, the last of which was exported first."""
    events = [
        {
            "body": "claude_code.permission_mode_changed",
            "attributes": {
                "event.name": "permission_mode_changed",
                "event.sequence": number,
                "from_mode": before,
                "to_mode": after,
            },
        }
        for number, (before, after) in enumerate(modes)
    ]
    view = viewer(events=events[::-1], **{"truth": ASKED, "observed": SHOWN, **run})
    return [item.view for item in modes_changed(view.capture)]


@pytest.mark.parametrize(
    ("modes", "wrong"),
    [
        ([RIGHT], {}),
        ([RIGHT, ("plan", "default"), ("default", "acceptEdits"), RIGHT], {}),
        ([], {"missing": 1}),
        ([("acceptEdits", "default")], {"missing": 1}),
        ([("default", "plan")], {"elsewhere": 1}),
        ([RIGHT, RIGHT], {"unchained": 1}),
        ([RIGHT, ("plan", "plan")], {"idle": 1}),
    ],
    ids=["once", "round", "none", "another", "from elsewhere", "twice", "no change"],
)
def test_changes_lead_from_mode_to_mode(
    viewer: Viewer, modes: list[tuple[str, str]], wrong: Mapping[str, int]
) -> None:
    (view,) = views(viewer, *modes)
    assert {name: count for name, count in view.items() if count} == wrong


@pytest.mark.parametrize("run", [{"observed": {}}, {"truth": GroundTruth()}])
def test_a_session_whose_mode_nobody_changed_has_nothing(
    viewer: Viewer, run: Mapping[str, Any]
) -> None:
    assert views(viewer, RIGHT, **run) == []
