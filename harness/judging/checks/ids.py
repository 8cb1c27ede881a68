"""Check the ids of traces and spans, wherever an item names one."""

from __future__ import annotations

from collections.abc import Iterator

from ...contract.requirement import Requirement
from ...findings import Finding, Judged, Outcome
from ...otlp.model import DataPoint, Event, Span
from ..items.view import CaptureView
from .fields import chosen, nothing_seen

#: How many bytes an id has; one that is not needed is left out.
_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}


def ids_whole(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that every id of a trace has 16 bytes and every id of a span 8, or is absent."""
    items = [item for item in chosen(requirement, view) if item.view["items"]]
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(
            f"{name} of {_BYTES[name]} bytes, or none",
            f"{len(value) // 2} bytes",
            f"{view.run.label} · {export.signal} export {export.sequence} · item {n}",
        )
        for export in view.capture.exports
        if export.counts
        for n, one in enumerate(export.items, start=1)
        for name, value in _ids(one)
        if value and len(value) != 2 * _BYTES[name]
    )
    return Judged(len(items), findings)


def _ids(item: object) -> Iterator[tuple[str, str]]:
    """Give every id of an item with its name, in hex."""
    if isinstance(item, DataPoint):
        for exemplar in item.exemplars:
            yield "trace_id", str(exemplar["trace_id"])
            yield "span_id", str(exemplar["span_id"])
    if isinstance(item, Event | Span):
        yield from (("trace_id", item.trace_id), ("span_id", item.span_id))
    if isinstance(item, Span):
        yield "parent_span_id", item.parent_span_id
        for link in item.links:
            yield from (("trace_id", link.trace_id), ("span_id", link.span_id))
