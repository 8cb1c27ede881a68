"""Queries on captures, and the names of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.names import event_name, event_names
from harness.capture.run import Run
from harness.otlp.model import (
    NO_ATTRIBUTES,
    Attributes,
    Event,
    Protocol,
    Resource,
    Scope,
    Signal,
    Value,
)

Make = Callable[..., Export]


@pytest.fixture
def capture(run: Run, make_export: Make, make_metrics: Make, make_events: Make) -> Capture:
    spans = (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"one"},{"name":"two",'
        b'"attributes":[{"key":"k","value":{"intValue":"1"}}]}]}]}]}'
    )
    return Capture(
        run,
        (
            make_metrics(
                ("claude_code.token.usage", 1, {"type": "input", "session.id": "s"}),
                ("claude_code.cost.usage", 2, {"type": "input"}),
            ),
            make_metrics(("claude_code.token.usage", 3, {"type": "input"}), rejected="scripted"),
            make_events("user_prompt", "api_request"),
            make_metrics(("claude_code.token.usage", 4, {"type": "output"})),
            make_export(b"garbage"),
            make_export(b"", None, rejected="no such path", status=404),
            make_export(spans, Signal.TRACES),
        ),
    )


def test_exports_by_fate(capture: Capture) -> None:
    numbered = {id(export): n for n, export in enumerate(capture.exports)}

    def places(exports: tuple[Export, ...]) -> list[int]:
        return [numbered[id(export)] for export in exports]

    assert places(capture.accepted) == [0, 2, 3, 4, 6]
    assert places(capture.rejected) == [1, 5]


def test_data_points(capture: Capture) -> None:
    def values(*args: Any, **attributes: Value) -> list[int | float | None]:
        return [point.value for point in capture.data_points(*args, **attributes)]

    assert values() == [1, 2, 4]
    assert values("claude_code.token.usage") == [1, 4]
    assert values("claude_code.token.usage", type="output") == [4]
    assert values(None, type="input") == [1, 2]
    assert values(None, **{"session.id": "s"}) == [1]
    assert values(None, absent=None) == []
    assert values("token.usage") == []
    assert values("claude_code.lines") == []


def test_events_and_spans(capture: Capture) -> None:
    assert len(capture.events()) == 2
    assert [event.body for event in capture.events("user_prompt")] == ["claude_code.user_prompt"]
    assert capture.events("claude_code.user_prompt") == capture.events("user_prompt")
    assert capture.events("user_prompt", **{"event.name": "other"}) == ()
    assert capture.events("absent") == ()
    assert [span.name for span in capture.spans()] == ["one", "two"]
    assert [span.name for span in capture.spans("one")] == ["one"]
    assert [span.name for span in capture.spans(k=1)] == ["two"]


def test_names(capture: Capture) -> None:
    assert capture.metric_names == ("claude_code.token.usage", "claude_code.cost.usage")
    assert capture.event_names == ("user_prompt", "api_request")
    assert len(capture.describe().splitlines()) == 7


def test_items_are_made_once(capture: Capture) -> None:
    assert capture.data_points()[0] is capture.data_points("claude_code.token.usage")[0]
    assert capture.events()[0] is capture.events("user_prompt")[0]


@pytest.mark.parametrize(
    ("attribute", "field", "body", "names"),
    [
        ("user_prompt", "", "claude_code.user_prompt", ("user_prompt",)),
        ("claude_code.a", "b", "c", ("a", "b", "c")),
        (None, "claude_code.b", None, ("b",)),
        (None, "", "claude_code.c", ("c",)),
        (None, "", "some text", ()),
        (7, "", 8, ()),
        ("", "", "", ()),
    ],
)
def test_an_event_is_found_by_any_name_it_tells(
    attribute: Value, field: str, body: Value, names: tuple[str, ...]
) -> None:
    attributes = Attributes((("event.name", attribute),)) if attribute is not None else None
    event = Event(
        resource=Resource(NO_ATTRIBUTES),
        scope=Scope(""),
        body=body,
        attributes=attributes or NO_ATTRIBUTES,
        time_unix_nano=0,
        observed_time_unix_nano=0,
        severity_number=0,
        severity_text="",
        event_name=field,
        trace_id="",
        span_id="",
    )
    assert event_names(event) == names
    assert event_name(event) == (names[0] if names else "")


def test_only_a_body_over_our_own_limit_was_not_kept(run: Run, make_export: Make) -> None:
    too_large = make_export(b"", status=413, rejected="body larger than 9 bytes", over_limit=True)
    answered = make_export(b"", status=413, rejected="too much", answered="a refusal")
    cut = make_export(b"", protocol=Protocol.GRPC, status=8, rejected="no message arrived")
    assert Capture(run, (make_export(b""), too_large, answered, cut)).unkept == (too_large,)
