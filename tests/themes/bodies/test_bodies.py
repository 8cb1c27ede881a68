"""What was logged of requests and answers, and where contents were cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.reference.attributes import length, shortened
from harness.themes.bodies.comparing import as_text, sent
from harness.themes.bodies.experiment import ANSWERS_GATE, GATE, LIMIT_VARIABLE, WIDE, limit_in
from harness.themes.bodies.measures import (
    bodies_without_gate,
    body_events,
    cut_answers,
    requests_logged,
)
from harness.themes.bodies.observed import Bodies

if TYPE_CHECKING:
    from tests.conftest import Viewer

REQUEST = {"model": "m", "max_tokens": 1, "tools": [], "messages": [{"content": f"go {WIDE}"}]}
SENT = as_observed(Bodies((sent("req_1", REQUEST), sent("req_2", REQUEST)), {}))
BODY = as_text(REQUEST)


def _event(name: str, **attributes: object) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


def _logged(text: str = BODY, told: object = length(BODY), **more: object) -> dict[str, Any]:
    return _event("api_request_body", body=text, body_length=told, **more)


@pytest.mark.parametrize(
    ("logged", "missing", "extra"),
    [
        ([_logged()] * 2, 0, 0),
        ([_logged()], 1, 0),
        ([_logged()] * 3, 0, 1),
        ([_logged(), _logged(as_text({**REQUEST, "model": "other"}))], 1, 1),
        ([_logged(), _logged("no JSON")], 1, 1),
        ([_logged(shortened(BODY * 9, 99))] * 2, 0, 0),
        ([_logged(shortened(BODY * 9, 99))], 1, 0),
    ],
    ids=["both", "one", "three", "of another model", "broken", "cut", "one that was cut"],
)
def test_requests_are_held_to_what_the_api_got(
    viewer: Viewer, logged: list[dict[str, Any]], missing: int, extra: int
) -> None:
    items = requests_logged(viewer(events=logged, observed=SENT).capture)
    assert sum(item.view["missing"] for item in items) == missing
    assert sum(item.view["extra"] for item in items) == extra


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (length(BODY), True),
        (str(length(BODY)), True),
        (len(BODY), False),
        (len(BODY.encode()), False),
        ("long", False),
    ],
    ids=["in code units", "as a text", "in characters", "in bytes", "no number"],
)
def test_the_length_of_a_body_is_counted_in_code_units(
    viewer: Viewer, told: object, right: bool
) -> None:
    (item,) = body_events(viewer(events=[_logged(BODY, told)], observed=SENT).capture)
    assert item.view["length_is_right"] is right


def test_the_length_of_a_file_is_counted_in_bytes(viewer: Viewer) -> None:
    path = "/bodies/01234567-89ab-4cde-8f01-23456789abcd.request.json"
    files = as_observed(Bodies((), {path: BODY}))
    logged = [
        _event("api_request_body", body_ref=path, body_length=len(BODY.encode())),
        _event("api_request_body", body_ref=path, body_length=length(BODY)),
        _event("api_request_body", body_ref="/elsewhere.request.json", body_length=1),
    ]
    items = body_events(viewer(events=logged, observed=files).capture)
    assert [item.view["length_is_right"] for item in items] == [True, False, False]
    assert [item.view["file"] for item in items] == [True, True, False]


def test_bodies_that_nobody_asked_for_are_counted(viewer: Viewer) -> None:
    events = [_event("user_prompt"), _logged()]
    (item,) = bodies_without_gate(viewer(events=events).capture)
    assert item.view["logged"] == 1
    assert bodies_without_gate(viewer(events=events, environment={GATE: "1"}).capture) == []


@pytest.mark.parametrize(
    ("shown", "whole", "over", "marked"),
    [
        ("so on" * 20, True, 0, False),
        (shortened("so on" * 20, 90), False, 0, True),
        ("so on" * 17, False, 0, False),
        (shortened("so on" * 20, 95), False, 5, True),
    ],
    ids=["whole", "cut", "without a mark", "over the limit"],
)
def test_answers_are_held_to_the_limit(
    viewer: Viewer, shown: str, whole: bool, over: int, marked: bool
) -> None:
    call = ApiCall("m", 200, False, True, "req_1", said="so on" * 20)
    limit = 100 if whole else 90
    capture = viewer(
        events=[_event("assistant_response", request_id="req_1", response=shown)],
        observed=SENT,
        truth=GroundTruth(api_calls=(call,)),
        environment={ANSWERS_GATE: "1", LIMIT_VARIABLE: str(limit)},
    ).capture
    (item,) = cut_answers(capture)
    view = item.view
    assert (view["whole"], view["over"], view["marked"]) == (whole, over, marked)
    assert view["longer"] == 100 - limit
    assert view["beginning"]


def test_the_lowest_limit_holds() -> None:
    of_sdk = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
    assert limit_in({}) == 61_440
    assert limit_in({of_sdk: "900"}) == 900
    assert limit_in({LIMIT_VARIABLE: "500", of_sdk: "900"}) == 500


@pytest.mark.parametrize("wide", ["", "."])
def test_the_emitter_cuts_no_character_apart(wide: str) -> None:
    text = wide + WIDE * 100
    assert length(shortened(text, 90)) in (89, 90)
    shortened(text, 90).encode()  # raises for half a surrogate pair
    assert shortened("as long", 7) == "as long"
