"""Faults of a relay: what it does to the telemetry that passes through."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
)

from harness.otlp.messages import Request

#: Changes a request in place.
Edit = Callable[[Request], None]
#: Makes an edit, with a memory of its own.
MakeEdit = Callable[[], Edit]

_SECOND = 10**9
_TIMES = ("time_unix_nano", "start_time_unix_nano", "end_time_unix_nano")
#: What an allow-list of some age knows.
_KNOWN = frozenset(
    {
        *("session.id", "event.name", "event.sequence", "event.timestamp", "prompt.id"),
        *("user.id", "type", "model", "tool_name", "decision", "duration_ms", "cost_usd"),
    }
)


def groups(message: Any) -> Any:
    """Return the resource groups of a request."""
    for name in ("resource_metrics", "resource_logs", "resource_spans"):
        if hasattr(message, name):
            return getattr(message, name)
    raise ValueError(message)


def scopes(message: Any) -> Iterator[Any]:
    for group in groups(message):
        for name in ("scope_metrics", "scope_logs", "scope_spans"):
            yield from getattr(group, name, ())


def metrics(message: Any) -> Iterator[Any]:
    for scope in scopes(message):
        yield from getattr(scope, "metrics", ())


def siblings(message: Any) -> Iterator[Any]:
    """Yield every list of points, records or spans."""
    for scope in scopes(message):
        for name in ("log_records", "spans"):
            if hasattr(scope, name):
                yield getattr(scope, name)
    for metric in metrics(message):
        if kind := metric.WhichOneof("data"):
            yield getattr(metric, kind).data_points


def records(message: Any) -> Iterator[Any]:
    """Yield every point, record and span."""
    for several in siblings(message):
        yield from several


def pairs(message: Any) -> Iterator[Any]:
    """Yield every attribute of a point, record or span."""
    for record in records(message):
        yield from record.attributes


def keep(several: Any, wanted: Callable[[Any], bool]) -> None:
    """Leave only those members of a repeated field that are wanted."""
    kept = [copy.deepcopy(each) for each in several if wanted(each)]
    del several[:]
    several.extend(kept)


def loses_every_tenth() -> Edit:
    seen = 0

    def tenth(record: Any) -> bool:
        nonlocal seen
        seen += 1
        return seen % 10 == 0

    def edit(message: Request) -> None:
        for several in siblings(message):
            keep(several, lambda record: not tenth(record))

    return edit


def stringifies_numbers() -> Edit:
    def edit(message: Request) -> None:
        for pair in pairs(message):
            kind = pair.value.WhichOneof("value")
            if kind in ("int_value", "double_value"):
                pair.value.string_value = str(getattr(pair.value, kind))

    return edit


def drops_unknown_attributes() -> Edit:
    def edit(message: Request) -> None:
        for record in records(message):
            keep(record.attributes, lambda pair: pair.key in _KNOWN)

    return edit


def last_resource_for_all() -> Edit:
    def edit(message: Request) -> None:
        for group in groups(message)[:-1]:
            group.resource.CopyFrom(groups(message)[-1].resource)

    return edit


def forgets_scope() -> Edit:
    def edit(message: Request) -> None:
        for scope in scopes(message):
            scope.ClearField("scope")

    return edit


def merges_sessions() -> Edit:
    first = ""

    def edit(message: Request) -> None:
        nonlocal first
        for pair in pairs(message):
            if pair.key == "session.id":
                first = first or pair.value.string_value
                pair.value.string_value = first

    return edit


def drops_events_without_body() -> Edit:
    def edit(message: Request) -> None:
        for scope in scopes(message):
            if hasattr(scope, "log_records"):
                keep(scope.log_records, lambda record: bool(record.body.WhichOneof("value")))

    return edit


def swaps_temporality() -> Edit:
    def edit(message: Request) -> None:
        for metric in metrics(message):
            if metric.WhichOneof("data") == "sum":
                delta = metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA
                metric.sum.aggregation_temporality = (
                    AGGREGATION_TEMPORALITY_CUMULATIVE if delta else AGGREGATION_TEMPORALITY_DELTA
                )

    return edit


def rounds_times() -> Edit:
    def edit(message: Request) -> None:
        for record in records(message):
            for name in _TIMES:
                if hasattr(record, name):
                    setattr(record, name, getattr(record, name) // _SECOND * _SECOND)

    return edit


def loses_exemplars() -> Edit:
    def edit(message: Request) -> None:
        for metric in metrics(message):
            for record in getattr(metric, metric.WhichOneof("data")).data_points:
                if hasattr(record, "exemplars"):
                    record.ClearField("exemplars")

    return edit


def makes_gauges() -> Edit:
    def edit(message: Request) -> None:
        for metric in metrics(message):
            if metric.WhichOneof("data") == "sum":
                points = [copy.deepcopy(point) for point in metric.sum.data_points]
                metric.gauge.data_points.extend(points)

    return edit


def drops_empty_values() -> Edit:
    """Leave out attributes with an empty text or array, as many stores do."""

    def empty(pair: Any) -> bool:
        kind = pair.value.WhichOneof("value")
        return kind is None or (
            kind in ("string_value", "array_value")
            and not (pair.value.string_value or pair.value.array_value.values)
        )

    def edit(message: Request) -> None:
        for record in records(message):
            keep(record.attributes, lambda pair: not empty(pair))

    return edit


def doubles_requests() -> Edit:
    """Pass each item on twice, as two pipelines into one exporter do."""

    def edit(message: Request) -> None:
        for several in siblings(message):
            several.extend([copy.deepcopy(each) for each in several])

    return edit


def writes_to_the_resource() -> Edit:
    """Move the session of the last item to the resource, as label-makers do."""

    def edit(message: Request) -> None:
        for group in groups(message):
            for pair in pairs(message):
                if pair.key == "session.id":
                    group.resource.attributes.add(key="session.id").value.CopyFrom(pair.value)
                    break

    return edit
