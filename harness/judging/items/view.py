"""Convert a capture to the items that checks and schemas judge: plain JSON-like values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.names import event_names, short
from ...contract.requirement import DRAWN, Selector
from ...exposition import UNSEEN, is_exposed
from ...findings import RunName
from ...otlp.model import (
    Attributes,
    DataPoint,
    Event,
    Resource,
    Scope,
    Signal,
    Span,
    Value,
)
from .item import Item, Kind
from .measured import NO_MEASURES, Measures

#: Kinds of spans and codes of their status, as OTLP numbers them.
SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUS_CODES = ("unset", "ok", "error")


class CaptureView:
    """The items of one capture, made once and shared by all checks.

    ``measures`` make the items of the kind ``measured``; without them there are none.
    """

    def __init__(self, capture: Capture, measures: Measures = NO_MEASURES) -> None:
        self.capture = capture
        self.run = capture.run
        self.truth = capture.run.truth
        self.protocol = capture.run.protocol
        self._measures = measures
        self._selected: dict[Selector, tuple[Item, ...]] = {}
        self._alike: WeakKeyDictionary[CaptureView, dict[Selector, bool]] = WeakKeyDictionary()

    @cached_property
    def run_name(self) -> RunName:
        """The name of the run in findings."""
        run = self.run
        return RunName(run.scenario, run.protocol.value, DRAWN in run.traits)

    def select(self, selector: Selector) -> tuple[Item, ...]:
        """Return the items that ``selector`` selects, in order of arrival."""
        if selector not in self._selected:
            self._selected[selector] = tuple(self._find(selector))
        return self._selected[selector]

    def selects_alike(self, other: CaptureView, selector: Selector) -> bool:
        """Say whether both views have the same items of the selector."""
        with_other = self._alike.setdefault(other, {})
        if selector not in with_other:
            with_other[selector] = self.select(selector) == other.select(selector)
        return with_other[selector]

    def _find(self, selector: Selector) -> list[Item]:
        match selector.kind:
            case "metrics":
                return self._points
            case "events":
                return self._events
            case "spans":
                return self._spans
            case "items":
                return [*self._points, *self._events]
            case "metric" | "event" | "span":
                every = {"metric": "metrics", "event": "events", "span": "spans"}[selector.kind]
                items = self.select(Selector(every))
                return [item for item in items if named(selector, item.view)]
            case "resources":
                return self._resources
            case "scopes":
                return [item for item in self._scopes if item.view["signal"] == selector.name]
            case "exports":
                return self._exports
            case "measured" if selector.name in self._measures:
                return list(self._measures[selector.name](self.capture))
        raise ValueError(f"nothing is known of {selector}")

    def _where(self, export: Export) -> str:
        signal = export.signal or "unrecognised"
        return f"{self.run.label} · {signal} export {export.sequence}"

    @cached_property
    def _decoded(self) -> list[Export]:
        return [export for export in self.capture.exports if export.counts]

    @cached_property
    def _points(self) -> list[Item]:
        return [
            Item(
                f"{self._where(export)} · {point.metric.name} · point {n}",
                {**point_view(point), "export": export.sequence, "collector": export.collector},
                UNSEEN.get(export.collector, frozenset()),
                Kind.METRIC,
            )
            for export in self._decoded
            for n, point in enumerate(export.data_points, start=1)
        ]

    @cached_property
    def _events(self) -> list[Item]:
        return [
            Item(
                f"{self._where(export)} · {_called(event)} · record {n}",
                {**event_view(event), "collector": export.collector},
                UNSEEN.get(export.collector, frozenset()),
                Kind.EVENT,
            )
            for export in self._decoded
            for n, event in enumerate(export.events, start=1)
        ]

    @cached_property
    def _spans(self) -> list[Item]:
        run = {"scenario": self.run.scenario, "protocol": self.protocol}
        return [
            Item(
                f"{self._where(export)} · {span.name or 'a span without a name'} · span {n}",
                {
                    **span_view(span),
                    "run": run,
                    "export": export.sequence,
                    "collector": export.collector,
                },
                UNSEEN.get(export.collector, frozenset()),
                Kind.SPAN,
            )
            for export in self._decoded
            for n, span in enumerate(export.spans, start=1)
        ]

    @cached_property
    def _exports(self) -> list[Item]:
        return [
            Item(self._where(export), export_view(export), kind=Kind.EXPORT)
            for export in self.capture.exports
            if not is_exposed(export)
        ]

    @cached_property
    def _resources(self) -> list[Item]:
        return [
            Item(
                f"{self._where(export)} · resource",
                {**_resource(resource), "signal": signal},
                kind=Kind.RESOURCE,
            )
            for export in self._decoded
            for signal, resource, _ in _owners(export)
            if resource.attributes or not is_exposed(export)
        ]

    @cached_property
    def _scopes(self) -> list[Item]:
        return [
            Item(
                f"{self._where(export)} · scope",
                {**_scope(scope), "signal": signal},
                kind=Kind.SCOPE,
            )
            for export in self._decoded
            for signal, _, scope in _owners(export)
            if scope.name or not is_exposed(export)
        ]


def named(selector: Selector, view: Mapping[str, Any]) -> bool:
    """Return whether a data point, an event or a span has the selector's name."""
    if selector.kind == "event":
        return selector.name in view["names"]
    if selector.kind == "span":
        return short(selector.name) == short(view["name"])
    return bool(view["name"] == selector.name)


def point_view(point: DataPoint) -> dict[str, Any]:
    """Return a data point as ``schemas/metrics/*.json`` describe it."""
    return {
        "name": point.metric.name,
        "description": point.metric.description,
        "unit": point.metric.unit,
        "type": point.metric.type,
        "temporality": point.metric.temporality,
        "monotonic": point.metric.monotonic,
        "value": point.value,
        "start_time_unix_nano": point.start_time_unix_nano,
        "time_unix_nano": point.time_unix_nano,
        "attributes": plain(point.attributes),
        "repeated": point.attributes.repeated,
    }


def event_view(event: Event) -> dict[str, Any]:
    """Return an event as ``schemas/events/*.json`` describe it."""
    return {
        "names": event_names(event),
        "body": plain(event.body),
        "event_name": event.event_name,
        "time_unix_nano": event.time_unix_nano,
        "observed_time_unix_nano": event.observed_time_unix_nano,
        "severity_number": event.severity_number,
        "attributes": plain(event.attributes),
        "repeated": event.attributes.repeated,
    }


def span_view(span: Span) -> dict[str, Any]:
    """Return a span as ``schemas/spans/*.json`` describe it.

    ``kind`` and ``status.code`` are OTLP's words for its numbers, or the number where it
    has none; a root span has no ``parent_span_id``.
    """
    return {
        "name": span.name,
        "kind": _word(SPAN_KINDS, span.kind),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        **({"parent_span_id": span.parent_span_id} if span.parent_span_id else {}),
        "start_time_unix_nano": span.start_time_unix_nano,
        "end_time_unix_nano": span.end_time_unix_nano,
        "status": {"code": _word(STATUS_CODES, span.status_code), "message": span.status_message},
        "attributes": plain(span.attributes),
        "repeated": span.attributes.repeated,
        "events": [
            {
                "name": event.name,
                "time_unix_nano": event.time_unix_nano,
                "attributes": plain(event.attributes),
            }
            for event in span.events
        ],
        "links": [
            {
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                "attributes": plain(link.attributes),
            }
            for link in span.links
        ],
        "resource": _resource(span.resource),
        "scope": _scope(span.scope),
    }


def _word(words: Sequence[str], number: int) -> str | int:
    return words[number] if 0 <= number < len(words) else number


def export_view(export: Export) -> dict[str, Any]:
    """Return a request as ``schemas/transport/*.json`` describe it."""
    return {
        "protocol": export.protocol,
        "signal": export.signal,
        "method": export.method,
        "path": export.path,
        "collector": export.collector,
        "rejected": refusal(export),
        "decode_error": "" if export.decode_error is None else str(export.decode_error),
        "headers": export.joined_headers,
        "items": len(export.items) if export.counts else 0,
        "notes": sorted({note.code for note in export.notes}) if export.counts else [],
    }


def refusal(export: Export) -> str:
    """Return why a request was refused, with its method and path; empty for an accepted one."""
    return f"{export.method} {export.path}: {export.rejected}" if export.rejected else ""


def plain(value: Value) -> Any:
    """Convert an OTLP value to JSON for a schema to judge; int and float stay apart."""
    if isinstance(value, Attributes):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return value


def _called(event: Event) -> str:
    return " or ".join(event_names(event)) or "an event without a name"


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "attributes": plain(resource.attributes),
        "repeated": resource.attributes.repeated,
    }


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "name": scope.name,
        "version": scope.version,
        "attributes": plain(scope.attributes),
    }


def _owners(export: Export) -> list[tuple[Signal, Resource, Scope]]:
    """Return each distinct (signal, resource, scope) of an export."""
    signals: dict[tuple[Resource, Scope], Signal] = {}
    for point in export.data_points:
        signals.setdefault((point.resource, point.scope), Signal.METRICS)
    for event in export.events:
        signals.setdefault((event.resource, event.scope), Signal.LOGS)
    for span in export.spans:
        signals.setdefault((span.resource, span.scope), Signal.TRACES)
    return [(signal, resource, scope) for (resource, scope), signal in signals.items()]
