"""Lies about where the trace of a caller goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
)
from .observed import TraceContexts

Lie = Callable[[Capture, Requirement], Capture]

_ANOTHER = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")


def begins_a_trace(capture: Capture, requirement: Requirement) -> Capture:
    """Begin a trace instead of going on with the caller's: the first span has no parent."""
    for export in capture.exports:
        message = copy_message(export)
        if isinstance(message, ExportTraceServiceRequest):
            for group in message.resource_spans:
                for scope in group.scope_spans:
                    for span in scope.spans:
                        if span.name == "claude_code.interaction":
                            span.trace_id = _ANOTHER
                            span.parent_span_id = b""
                            return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} sent no interaction")


def one_event_apart(capture: Capture, requirement: Requirement) -> Capture:
    """Log one event in no trace."""
    for export in capture.exports:
        message = copy_message(export)
        if isinstance(message, ExportLogsServiceRequest):
            record = message.resource_logs[0].scope_logs[0].log_records[0]
            record.trace_id = record.span_id = b""
            return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} logged nothing")


def hands_on_the_callers(capture: Capture, requirement: Requirement) -> Capture:
    """Hand on the context of the caller, as if there were no span in between."""
    callers = capture.run.environment["TRACEPARENT"]
    return edit_observed(
        capture,
        TraceContexts,
        lambda seen: replace(seen, to_command=callers, with_requests=(callers,)),
    )


def id_as_text(capture: Capture, requirement: Requirement) -> Capture:
    """Add to one data point an exemplar whose trace id is written out in 32 letters."""
    for export in capture.exports:
        message = copy_message(export)
        if isinstance(message, ExportMetricsServiceRequest):
            metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
            point = getattr(metric, metric.WhichOneof("data") or "sum").data_points[0]
            point.exemplars.add(as_double=1.0, trace_id=_ANOTHER.hex().encode())
            return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} sent no metrics")


LIES: Mapping[str, Lie] = {
    lie.__name__: lie for lie in (begins_a_trace, one_event_apart, hands_on_the_callers, id_as_text)
}
