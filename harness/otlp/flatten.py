"""Convert messages to the flattened model: every item with its resource and scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from .messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from .model import (
    NO_ATTRIBUTES,
    Attributes,
    DataPoint,
    Event,
    Metric,
    Resource,
    Scope,
    Span,
    SpanEvent,
    SpanLink,
    Value,
)

_TEMPORALITIES = {
    metrics_pb2.AGGREGATION_TEMPORALITY_UNSPECIFIED: "unspecified",
    metrics_pb2.AGGREGATION_TEMPORALITY_DELTA: "delta",
    metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE: "cumulative",
}


def value_of(value: AnyValue) -> Value:
    """Return an AnyValue as the Python value of its type; see :mod:`harness.otlp.model`."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(value_of(item) for item in value.array_value.values)
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    if kind is None or kind == "string_value_strindex":
        # An index into a string table that only the profiles signal carries.
        return None
    plain: str | bool | int | float | bytes = getattr(value, kind)
    return plain


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    return Attributes(tuple((pair.key, value_of(pair.value)) for pair in pairs))


def items_of(request: Request) -> tuple[DataPoint, ...] | tuple[Event, ...] | tuple[Span, ...]:
    """Return the data points, events or spans of a request, whichever it has."""
    if isinstance(request, ExportMetricsServiceRequest):
        return data_points(request)
    if isinstance(request, ExportLogsServiceRequest):
        return events(request)
    return spans(request)


def data_points(request: ExportMetricsServiceRequest) -> tuple[DataPoint, ...]:
    """Return every data point, in the order of the request.

    ``extra`` holds what is not common to all types: ``count``, ``sum`` / ``min`` / ``max`` (only
    where set), ``bucket_counts`` and ``explicit_bounds`` of a histogram; ``scale``,
    ``zero_count``, ``zero_threshold``, ``positive`` and ``negative`` (``offset`` and
    ``bucket_counts``) of an exponential one; ``quantiles`` of a summary (a tuple of (quantile,
    value) pairs). A metric without data has no point.
    """
    return tuple(_data_points(request))


def _data_points(request: ExportMetricsServiceRequest) -> Iterator[DataPoint]:
    for resource, scope, block in _scopes(request.resource_metrics, "scope_metrics"):
        for metric in block.metrics:
            identity = metric_of(metric)
            if not identity.type:
                continue
            for point in getattr(metric, identity.type).data_points:
                value: int | float | None = None
                extra = NO_ATTRIBUTES
                # Summaries have no exemplars.
                exemplars = getattr(point, "exemplars", ())
                if isinstance(point, metrics_pb2.NumberDataPoint):
                    kind = point.WhichOneof("value")
                    value = None if kind is None else getattr(point, kind)
                else:
                    extra = Attributes(tuple(_extra(point)))
                yield DataPoint(
                    resource=resource,
                    scope=scope,
                    metric=identity,
                    attributes=attributes_of(point.attributes),
                    start_time_unix_nano=point.start_time_unix_nano,
                    time_unix_nano=point.time_unix_nano,
                    value=value,
                    flags=point.flags,
                    extra=extra,
                    exemplars=tuple(map(_exemplar, exemplars)) if exemplars else (),
                )


def _exemplar(exemplar: metrics_pb2.Exemplar) -> Attributes:
    kind = exemplar.WhichOneof("value")
    fields: tuple[tuple[str, Value], ...] = (
        ("filtered_attributes", attributes_of(exemplar.filtered_attributes)),
        ("time_unix_nano", exemplar.time_unix_nano),
        ("value", None if kind is None else getattr(exemplar, kind)),
        ("trace_id", exemplar.trace_id.hex()),
        ("span_id", exemplar.span_id.hex()),
    )
    return Attributes(fields)


def metric_of(metric: metrics_pb2.Metric) -> Metric:
    """Return a metric's identity; an unknown temporality is given as its number."""
    kind = metric.WhichOneof("data")
    data: Any = getattr(metric, kind) if kind else None
    temporality = ""
    if kind in ("sum", "histogram", "exponential_histogram"):
        number = data.aggregation_temporality
        temporality = _TEMPORALITIES.get(number, str(number))
    return Metric(
        name=metric.name,
        description=metric.description,
        unit=metric.unit,
        type=kind or "",
        temporality=temporality,
        monotonic=data.is_monotonic if kind == "sum" else None,
        metadata=attributes_of(metric.metadata) if metric.metadata else NO_ATTRIBUTES,
    )


def _extra(
    point: metrics_pb2.HistogramDataPoint
    | metrics_pb2.ExponentialHistogramDataPoint
    | metrics_pb2.SummaryDataPoint,
) -> Iterator[tuple[str, Value]]:
    yield "count", point.count
    if isinstance(point, metrics_pb2.SummaryDataPoint):
        yield "sum", point.sum
        yield (
            "quantiles",
            tuple((quantile.quantile, quantile.value) for quantile in point.quantile_values),
        )
        return
    if point.HasField("sum"):
        yield "sum", point.sum
    if point.HasField("min"):
        yield "min", point.min
    if point.HasField("max"):
        yield "max", point.max
    if isinstance(point, metrics_pb2.HistogramDataPoint):
        yield "bucket_counts", tuple(point.bucket_counts)
        yield "explicit_bounds", tuple(point.explicit_bounds)
        return
    yield "scale", point.scale
    yield "zero_count", point.zero_count
    yield "zero_threshold", point.zero_threshold
    yield "positive", _buckets(point.positive)
    yield "negative", _buckets(point.negative)


def _buckets(buckets: metrics_pb2.ExponentialHistogramDataPoint.Buckets) -> Attributes:
    counts = tuple(buckets.bucket_counts)
    return Attributes((("offset", buckets.offset), ("bucket_counts", counts)))


def events(request: ExportLogsServiceRequest) -> tuple[Event, ...]:
    """Return every log record, in the order of the request."""
    return tuple(
        Event(
            resource=resource,
            scope=scope,
            body=value_of(record.body),
            attributes=attributes_of(record.attributes),
            time_unix_nano=record.time_unix_nano,
            observed_time_unix_nano=record.observed_time_unix_nano,
            severity_number=record.severity_number,
            severity_text=record.severity_text,
            event_name=record.event_name,
            trace_id=record.trace_id.hex(),
            span_id=record.span_id.hex(),
            flags=record.flags,
            dropped_attributes_count=record.dropped_attributes_count,
        )
        for resource, scope, block in _scopes(request.resource_logs, "scope_logs")
        for record in block.log_records
    )


def spans(request: ExportTraceServiceRequest) -> tuple[Span, ...]:
    """Return every span, in the order of the request."""
    return tuple(
        Span(
            resource=resource,
            scope=scope,
            name=span.name,
            kind=span.kind,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_span_id=span.parent_span_id.hex(),
            start_time_unix_nano=span.start_time_unix_nano,
            end_time_unix_nano=span.end_time_unix_nano,
            attributes=attributes_of(span.attributes),
            status_code=span.status.code,
            status_message=span.status.message,
            events=tuple(
                SpanEvent(
                    event.name,
                    event.time_unix_nano,
                    attributes_of(event.attributes),
                    event.dropped_attributes_count,
                )
                for event in span.events
            ),
            links=tuple(
                SpanLink(
                    link.trace_id.hex(),
                    link.span_id.hex(),
                    attributes_of(link.attributes),
                    link.trace_state,
                    link.flags,
                    link.dropped_attributes_count,
                )
                for link in span.links
            ),
            flags=span.flags,
            trace_state=span.trace_state,
            dropped_attributes_count=span.dropped_attributes_count,
            dropped_events_count=span.dropped_events_count,
            dropped_links_count=span.dropped_links_count,
        )
        for resource, scope, block in _scopes(request.resource_spans, "scope_spans")
        for span in block.spans
    )


def _scopes(groups: Iterable[Any], scope_field: str) -> Iterator[tuple[Resource, Scope, Any]]:
    """Yield the resource, the scope and the group of items of every scope."""
    for group in groups:
        resource = _resource(group.resource, group.schema_url)
        for block in getattr(group, scope_field):
            yield resource, _scope(block.scope, block.schema_url), block


def _resource(resource: resource_pb2.Resource, schema_url: str) -> Resource:
    return Resource(
        attributes_of(resource.attributes),
        schema_url,
        resource.dropped_attributes_count,
        tuple(
            (each.schema_url, each.type, tuple(each.id_keys), tuple(each.description_keys))
            for each in resource.entity_refs
        ),
    )


def _scope(scope: InstrumentationScope, schema_url: str) -> Scope:
    return Scope(
        scope.name,
        scope.version,
        attributes_of(scope.attributes),
        schema_url,
        scope.dropped_attributes_count,
    )
