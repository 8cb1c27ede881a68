"""Edit the items of an export message in place, by the paths that requirements use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ..judging.items.item import Item, Kind
from ..judging.items.view import (
    SPAN_KINDS,
    STATUS_CODES,
    event_view,
    point_view,
    span_view,
)
from ..otlp import flatten
from ..otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    Request,
    signal_of,
)
from ..otlp.model import Signal
from ..otlp.writing import put_attributes

_TEMPORALITIES = {"unspecified": 0, "delta": 1, "cumulative": 2}
#: Attributes whose values differ from run to run: no help in finding the same item again.
_RANDOM = frozenset({"session.id", "user.id", "prompt.id", "message.uuid", "client_request_id"})

#: The repeated field of a request that holds the resource groups, and the one of each group
#: that holds the scope groups.
_RESOURCE_GROUPS = {
    Signal.METRICS: "resource_metrics",
    Signal.LOGS: "resource_logs",
    Signal.TRACES: "resource_spans",
}
_SCOPE_GROUPS = {
    Signal.METRICS: "scope_metrics",
    Signal.LOGS: "scope_logs",
    Signal.TRACES: "scope_spans",
}


@dataclass(frozen=True, slots=True)
class ItemRef:
    """A data point, log record or span within its message, to be edited in place.

    ``item`` is what the checks see of it; ``record`` is the message to edit, ``owner`` the metric
    of a data point (else the record itself), ``siblings`` the repeated field that holds the
    record.
    """

    item: Item
    record: Any
    owner: Any
    siblings: Any

    @property
    def key(self) -> tuple[str, int, str]:
        """Sort key that gives the items of a run the same order over every protocol."""
        view = self.item.view
        attributes = {k: v for k, v in view["attributes"].items() if k not in _RANDOM}
        is_event = self.item.kind is Kind.EVENT
        name = "/".join(view["names"]) if is_event else view["name"]
        sequence = attributes.get("event.sequence", -1)
        return name, sequence if isinstance(sequence, int) else -1, json.dumps(attributes)


def item_refs(message: Request) -> Iterator[ItemRef]:
    """Yield every data point, log record or span, in the order of the flattened model."""
    if isinstance(message, ExportMetricsServiceRequest):
        items = [
            Item("", point_view(point), kind=Kind.METRIC) for point in flatten.data_points(message)
        ]
        records: list[tuple[Any, Any, Any]] = [
            (point, metric, points)
            for group in groups(message)
            for scope in scopes(group)
            for metric in _items(scope)
            for points in [_points(metric)]
            for point in points
        ]
    else:
        if isinstance(message, ExportLogsServiceRequest):
            items = [Item("", event_view(e), kind=Kind.EVENT) for e in flatten.events(message)]
        else:
            items = [Item("", span_view(span), kind=Kind.SPAN) for span in flatten.spans(message)]
        records = [
            (record, record, siblings)
            for group in groups(message)
            for scope in scopes(group)
            for siblings in [_items(scope)]
            for record in siblings
        ]
    for item, (record, owner, siblings) in zip(items, records, strict=True):
        yield ItemRef(item, record, owner, siblings)


def groups(message: Request) -> list[Any]:
    """Return the resource groups (ResourceMetrics, ResourceLogs, ResourceSpans) of a request."""
    return list(_groups(message))


def scopes(group: Any, signal: Signal | None = None) -> Any:
    """Return the scope groups within a resource group; none if it is not of ``signal``."""
    names = _SCOPE_GROUPS.values() if signal is None else [_SCOPE_GROUPS[signal]]
    return next((getattr(group, name) for name in names if hasattr(group, name)), ())


def put(ref: ItemRef, path: tuple[str, ...], value: Any) -> None:
    """Set the field at ``path`` of an item; None removes the value of a data point."""
    match path:
        case ("attributes", key):
            put_attribute(ref.record.attributes, key, value)
        case ("body",):
            ref.record.body.string_value = value
        case ("unit",) | ("description",):
            setattr(ref.owner, path[0], value)
        case ("type",) if value == "gauge":
            points = list(ref.siblings)
            ref.owner.gauge.data_points.extend(points)
        case ("monotonic",):
            ref.owner.sum.is_monotonic = value
        case ("temporality",):
            ref.owner.sum.aggregation_temporality = _TEMPORALITIES[value]
        case ("value",) if value is None:
            ref.record.ClearField("as_double")
            ref.record.ClearField("as_int")
        case ("value",):
            ref.record.as_double = value
        case _ if ref.item.kind is Kind.SPAN:
            _put_in_span(ref.record, path, value)
        case (("time_unix_nano" | "observed_time_unix_nano" | "start_time_unix_nano") as name,):
            setattr(ref.record, name, value)
        case _:
            raise ValueError(f"no way to put {value!r} at {'.'.join(path)}")


def _put_in_span(span: Any, path: tuple[str, ...], value: Any) -> None:
    match path:
        case ("name",) | ("start_time_unix_nano",) | ("end_time_unix_nano",):
            setattr(span, path[0], value)
        case ("trace_id",) | ("span_id",) | ("parent_span_id",):
            setattr(span, path[0], bytes.fromhex(value))
        case ("kind",):
            span.kind = SPAN_KINDS.index(value)
        case ("status", "code"):
            span.status.code = STATUS_CODES.index(value)
        case ("status", "message"):
            span.status.message = value
        case _:
            raise ValueError(f"no way to put {value!r} at {'.'.join(path)} of a span")


def drop(ref: ItemRef, path: tuple[str, ...]) -> None:
    """Remove the field at ``path`` from an item."""
    match path:
        case ("attributes", key):
            drop_attribute(ref.record.attributes, key)
        case ("parent_span_id",):
            ref.record.ClearField("parent_span_id")
        case _:
            raise ValueError(f"no way to leave {'.'.join(path)} out")


def put_attribute(attributes: Any, key: str, value: Any) -> None:
    """Set one attribute; the Python type of the value decides its OTLP type."""
    drop_attribute(attributes, key)
    put_attributes(attributes, {key: value})


def drop_attribute(attributes: Any, key: str) -> None:
    """Remove an attribute."""
    for index in reversed(range(len(attributes))):
        if attributes[index].key == key:
            del attributes[index]


def remove(ref: ItemRef) -> None:
    """Remove the item from its message."""
    for index, sibling in enumerate(ref.siblings):
        if sibling is ref.record or sibling == ref.record:
            del ref.siblings[index]
            return


def repeat(ref: ItemRef) -> None:
    """Add a copy of the item to its message."""
    ref.siblings.add().CopyFrom(ref.record)


def prune(message: Request) -> bool:
    """Remove metrics and groups without items; return whether anything is left."""
    for group in groups(message):
        for scope in scopes(group):
            if hasattr(scope, "metrics"):
                _keep(scope.metrics, [metric for metric in scope.metrics if _points(metric)])
        _keep(scopes(group), [scope for scope in scopes(group) if _items(scope)])
    top = _groups(message)
    _keep(top, [group for group in top if scopes(group)])
    return bool(top)


def _groups(message: Request) -> Any:
    return getattr(message, _RESOURCE_GROUPS[signal_of(message)])


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _items(scope: Any) -> Any:
    names = ("metrics", "log_records", "spans")
    return next(getattr(scope, name) for name in names if hasattr(scope, name))


def _keep(repeated: Any, kept: list[Message]) -> None:
    if len(kept) == len(repeated):
        return
    copies = [type(member).FromString(member.SerializeToString()) for member in kept]
    del repeated[:]
    repeated.extend(copies)
