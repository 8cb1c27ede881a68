"""Lies about single fields of what passed through, each a value that nobody sent."""

from __future__ import annotations

from collections.abc import Mapping

from .edits import Lie, clearing, putting, setting

_MS = 1_000_000

LIES: Mapping[str, Lie] = {
    "turns_into_a_gauge": putting("type", "gauge", "Pass a sum on as a gauge.", was="sum"),
    "calls_it_cumulative": putting(
        "temporality", "cumulative", "Call deltas cumulative.", was="delta"
    ),
    "forgets_monotonic": putting("monotonic", False, "Forget that a sum never falls.", was=True),
    "changes_the_body": putting("body", "a text", "Pass an event on with another body."),
    "changes_the_status": putting("status.code", "error", "Pass a span on as failed."),
    "drops_span_events": clearing("events", "Pass a span on without its events."),
    "drops_links": clearing("links", "Pass a span on without its links."),
    "drops_exemplars": clearing("exemplars", "Pass a data point on without its exemplars."),
    "drops_a_severity_text": setting("severity_text", "", "Forget the text of a severity."),
    "renames": setting("name", "another", "Pass an item on under another name."),
    "changes_the_unit": putting("unit", "furlong", "Pass a metric on in another unit."),
    "changes_the_description": putting("description", "else", "Describe a metric otherwise."),
    "shifts_a_time": setting(
        "time_unix_nano", lambda time: time + _MS, "Shift a time by a millisecond."
    ),
    "shifts_an_end": setting(
        "end_time_unix_nano", lambda time: time + _MS, "Shift the end of a span."
    ),
    "sets_flags": setting("flags", lambda flags: flags ^ 1, "Pass an item on with other flags."),
    "sets_the_severity": setting("severity_number", 17, "Call an event an error."),
    "sets_the_event_name": setting("event_name", "another", "Name an event in its own field."),
    "sets_the_trace": setting("trace_id", b"\x09" * 16, "Pass an item on in another trace."),
    "sets_the_trace_state": setting("trace_state", "a=b", "Add to the trace state of a span."),
    "sets_the_kind": setting("kind", 4, "Call a span a producer's."),
}
