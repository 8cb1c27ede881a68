"""What kind of item each selector gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.requirement import Selector
from harness.judging.items.item import MISSING, Kind
from harness.judging.items.view import CaptureView
from harness.mutants.editing import item_refs
from harness.mutants.rewriting import copy_message

if TYPE_CHECKING:
    from tests.conftest import Viewer

SPAN: Mapping[str, Any] = {
    "name": "claude_code.interaction",
    "kind": 3,
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "parent_span_id": "00f067aa0ba902b7",
    "start_time_unix_nano": 3,
    "end_time_unix_nano": 9,
    "attributes": {"user_prompt_length": 5},
    "status_code": 2,
    "status": "It broke.",
    "events": [("retry", {"attempt": 1})],
}


@pytest.fixture
def view(viewer: Viewer) -> CaptureView:
    return viewer(
        points=[("lines", 1.0, {})],
        events=[{"body": "claude_code.user_prompt"}],
        spans=[SPAN],
        resource={"service.name": "claude-code"},
    )


@pytest.mark.parametrize(
    ("selector", "kinds"),
    [
        (Selector("metrics"), [Kind.METRIC]),
        (Selector("metric", "lines"), [Kind.METRIC]),
        (Selector("events"), [Kind.EVENT]),
        (Selector("event", "user_prompt"), [Kind.EVENT]),
        (Selector("spans"), [Kind.SPAN]),
        (Selector("span", "interaction"), [Kind.SPAN]),
        (Selector("span", "claude_code.interaction"), [Kind.SPAN]),
        (Selector("items"), [Kind.METRIC, Kind.EVENT]),
        (Selector("resources"), [Kind.RESOURCE]),
        (Selector("scopes", "logs"), [Kind.SCOPE]),
        (Selector("scopes", "traces"), [Kind.SCOPE]),
        (Selector("exports"), [Kind.EXPORT]),
        (Selector("measured", "session"), [Kind.MEASURED]),
    ],
    ids=lambda value: str(value) if isinstance(value, Selector) else "",
)
def test_an_item_says_of_what_kind_it_is(
    view: CaptureView, selector: Selector, kinds: list[Kind]
) -> None:
    assert {item.kind for item in view.select(selector)} == set(kinds)


def test_an_item_to_edit_is_of_the_kind_that_checks_see(view: CaptureView) -> None:
    messages = [copy_message(export) for export in view.capture.exports]
    kinds = [
        ref.item.kind for message in messages if message is not None for ref in item_refs(message)
    ]
    assert sorted(kinds) == [Kind.EVENT, Kind.METRIC, Kind.SPAN]


def test_a_span_is_seen_with_all_that_it_says(view: CaptureView) -> None:
    (item,) = view.select(Selector("span", "interaction"))
    assert item.where == (
        "working_day over http/json · traces export 3 · claude_code.interaction · span 1"
    )
    assert item.time_unix_nano == 3
    assert item.view == {
        "name": "claude_code.interaction",
        "kind": "client",
        "trace_id": SPAN["trace_id"],
        "span_id": SPAN["span_id"],
        "parent_span_id": SPAN["parent_span_id"],
        "start_time_unix_nano": 3,
        "end_time_unix_nano": 9,
        "status": {"code": "error", "message": "It broke."},
        "attributes": {"user_prompt_length": 5},
        "repeated": (),
        "events": [{"name": "retry", "time_unix_nano": 0, "attributes": {"attempt": 1}}],
        "links": [],
        "resource": {"attributes": {"service.name": "claude-code"}, "repeated": ()},
        "scope": {"name": "", "version": "", "attributes": {}},
        "run": {"scenario": "working_day", "protocol": "http/json"},
        "export": 3,
        "collector": "main",
    }


def test_a_root_span_has_no_parent_and_odd_numbers_stay_numbers(viewer: Viewer) -> None:
    odd = {**SPAN, "parent_span_id": "", "kind": 17, "status_code": 9}
    (item,) = viewer(spans=[odd]).select(Selector("spans"))
    assert item.at(("parent_span_id",)) is MISSING
    assert (item.view["kind"], item.view["status"]["code"]) == (17, 9)
