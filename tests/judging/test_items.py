"""What kind of item each selector gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.contract.requirement import Selector
from harness.judging.items.item import Kind
from harness.judging.items.view import CaptureView
from harness.mutants.editing import places
from harness.mutants.rewriting import copy_message

Viewer = Callable[..., CaptureView]


@pytest.fixture
def view(viewer: Viewer) -> CaptureView:
    return viewer(points=[("lines", 1.0, {})], events=[{"body": "claude_code.user_prompt"}])


@pytest.mark.parametrize(
    ("selector", "kinds"),
    [
        (Selector("metrics"), [Kind.METRIC]),
        (Selector("metric", "lines"), [Kind.METRIC]),
        (Selector("events"), [Kind.EVENT]),
        (Selector("event", "user_prompt"), [Kind.EVENT]),
        (Selector("items"), [Kind.METRIC, Kind.EVENT]),
        (Selector("resources"), [Kind.RESOURCE]),
        (Selector("scopes", "logs"), [Kind.SCOPE]),
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
        place.item.kind for message in messages if message is not None for place in places(message)
    ]
    assert sorted(kinds) == [Kind.EVENT, Kind.METRIC]
