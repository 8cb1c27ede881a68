"""Which compactions were logged, against those that were provoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.themes.compaction import experiment, measures
from harness.themes.compaction.observed import Provoked

if TYPE_CHECKING:
    from tests.conftest import Viewer

MS = 1_000_000
CALL = ApiCall(
    "m", 200, False, True, "req_1", arrived_unix_nano=100 * MS, answered_unix_nano=130 * MS
)
ASKED = GroundTruth(api_calls=(CALL,))
TOLD = {
    "event.name": "compaction",
    "trigger": "auto",
    "success": "true",
    "duration_ms": "40",
    "pre_tokens": "1005",
    "post_tokens": "90",
}


def views(
    viewer: Viewer, measure: str, *events: Mapping[str, Any], **run: Any
) -> list[Mapping[str, Any]]:
    view = viewer(
        events=[{"body": "claude_code.compaction", "attributes": event} for event in events],
        **{
            "truth": ASKED,
            "observed": as_observed(Provoked({"auto": 1, "manual": 1}, 1000)),
            "started_unix_nano": 0,
            "ended_unix_nano": 5000 * MS,
            **run,
        },
    )
    return [item.view for item in getattr(measures, measure)(view.capture)]


def wrong(view: Mapping[str, Any]) -> set[str]:
    return {name for name, right in view.items() if right is False}


def test_compactions_are_counted_by_trigger(viewer: Viewer) -> None:
    told = views(viewer, "compactions", TOLD, TOLD)
    assert told == [
        {"trigger": "auto", "missing": 0, "extra": 1},
        {"trigger": "manual", "missing": 1, "extra": 0},
    ]


def test_what_is_told_rightly(viewer: Viewer) -> None:
    (view,) = views(viewer, "compactions_told", TOLD)
    assert wrong(view) == set()
    assert (view["trigger"], view["reuse"]) == ("auto", "")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"success": "false"}, "succeeded"),
        ({"error": "too long"}, "no_error"),
        ({"duration_ms": "0"}, "in_time"),
        ({"duration_ms": "5001"}, "in_time"),
        ({"pre_tokens": "999"}, "of_full_context"),
        ({"pre_tokens": "1101"}, "of_full_context"),
        ({"post_tokens": "1005"}, "fewer"),
        ({"post_tokens": "0"}, "fewer"),
    ],
)
def test_what_is_told_wrongly(viewer: Viewer, change: Mapping[str, str], expected: str) -> None:
    (view,) = views(viewer, "compactions_told", {**TOLD, **change})
    assert wrong(view) == {expected}


@pytest.mark.parametrize("run", [{"observed": {}}, {"truth": GroundTruth()}])
def test_a_session_that_provoked_none_or_asked_nothing_has_nothing(
    viewer: Viewer, run: Mapping[str, Any]
) -> None:
    assert not any(views(viewer, each.__name__, TOLD, **run) for each in measures.MEASURES)


def test_the_context_is_full_after_the_answer_that_fills_it() -> None:
    full = experiment.FULL
    read = full.input_tokens + full.cache_read_tokens + full.cache_creation_tokens
    assert read + full.output_tokens == experiment.FULL_TOKENS > experiment.WINDOW
