"""Measure where the trace of a caller goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import TraceContexts

_VARIABLE = "TRACEPARENT"
_CALLER, _NOBODY, _UNKNOWN = "the caller", "nobody", "an unknown span"

#: A trace and a span in it.
_Place = tuple[str, str]


def trace_context(capture: Capture) -> list[Item]:
    """Return one item for each bearer of a trace context in a run that got one.

    ``bearer`` is ``interaction`` (its span's parent), ``events`` (each one), ``command`` (what a
    shell command inherited) or ``request`` (each one to the model); ``same_trace`` is whether all
    of them are in the caller's trace, ``spans`` are the spans that they name: those of the
    session by their names.
    """
    handed_on = observed(capture.run, TraceContexts)
    if handed_on is None or not capture.spans():
        return []
    caller = _place(capture.run.environment[_VARIABLE])
    names = {span.span_id: span.name for span in capture.spans()}
    bearers = {
        "interaction": [
            (span.trace_id, span.parent_span_id)
            for span in capture.spans("claude_code.interaction")
        ],
        "events": [(event.trace_id, event.span_id) for event in capture.events()],
        "command": [_place(handed_on.to_command)],
        "request": [_place(context) for context in handed_on.with_requests],
    }
    return [
        Item(
            f"{capture.run.label} · {bearer}",
            {
                "bearer": bearer,
                "same_trace": all(trace_id == caller[0] for trace_id, _ in places),
                "spans": sorted(set(_named(places, caller, names))),
            },
        )
        for bearer, places in bearers.items()
        # Where the interaction's span is lost, nothing goes on with the caller's.
        if places or bearer == "interaction"
    ]


def _named(places: list[_Place], caller: _Place, names: dict[str, str]) -> Iterator[str]:
    for _, span_id in places:
        if span_id == caller[1]:
            yield _CALLER
        else:
            yield names.get(span_id, _UNKNOWN) if span_id else _NOBODY


def _place(context: str) -> _Place:
    """Return the trace and the span of a W3C trace context; empty texts for none."""
    parts = context.split("-")
    return (parts[1], parts[2]) if len(parts) == 4 else ("", "")


MEASURES = (trace_context,)
