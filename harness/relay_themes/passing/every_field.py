"""Make requests that use every field of OTLP, those that no release of the CLI uses included."""

from __future__ import annotations

import time
import uuid
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from ...otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
)
from ...relay.replay import Recorded

_NAME = "cc_otel.every_field"
_SECOND = 10**9
_NO_VALUE = 1


def every_field() -> tuple[Recorded, ...]:
    """Return a request of each signal; together they use every field, of which none is random.

    Times end in nanoseconds that neither micro- nor milliseconds can tell.
    """
    now = time.time_ns() // _SECOND * _SECOND + 123_456_789
    mark = uuid.uuid4().hex
    requests = (_metrics(now, mark), _logs(now, mark), _traces(now, mark))
    return tuple(Recorded(request, now) for request in requests)


def _value(made: AnyValue, value: Any) -> None:
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case str():
            made.string_value = value
        case bytes():
            made.bytes_value = value
        case list():
            made.array_value.SetInParent()
            for member in value:
                _value(made.array_value.values.add(), member)
        case dict():
            made.kvlist_value.SetInParent()
            _put(made.kvlist_value.values, value)


def _put(attributes: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        _value(attributes.add(key=key).value, value)


def _every_type(mark: str) -> dict[str, Any]:
    return {
        "session.id": mark,
        "text": "a text with \u00fc, \u20ac and \U0001f600",
        "empty.text": "",
        "yes": True,
        "no": False,
        "whole": 2**53 + 1,
        "zero": 0,
        "double": 0.1,
        "whole.double": 3.0,
        "bytes": b"\x00\xff\x80",
        "array": ["one", 2, 3.5, True, ["within"]],
        "empty.array": [],
        "map": {"one": 1, "two": {"three": "3"}},
        "nothing": None,
    }


def _begin(group: Any, block: Any) -> None:
    group.schema_url = "https://opentelemetry.io/schemas/1.30.0"
    _put(group.resource.attributes, {"service.name": "claude-code", "host.name": "a-host"})
    group.resource.dropped_attributes_count = 2
    group.resource.entity_refs.add(
        schema_url="https://opentelemetry.io/schemas/1.31.0",
        type="host",
        id_keys=["host.name"],
        description_keys=["service.name"],
    )
    block.schema_url = "https://opentelemetry.io/schemas/1.32.0"
    block.scope.name, block.scope.version = _NAME, "1.0"
    _put(block.scope.attributes, {"of": "the scope"})
    block.scope.dropped_attributes_count = 3


def _metrics(now: int, mark: str) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    block = group.scope_metrics.add()
    _begin(group, block)

    def metric(name: str, kind: str, **fields: Any) -> Any:
        made = block.metrics.add(name=f"{_NAME}.{name}", description="Of no use", unit="By")
        _put(made.metadata, {"known": "since 1.3"})
        data = getattr(made, kind)
        for field, value in fields.items():
            setattr(data, field, value)
        point = data.data_points.add(start_time_unix_nano=now - _SECOND, time_unix_nano=now)
        _put(point.attributes, _every_type(mark))
        return point

    delta, cumulative = AGGREGATION_TEMPORALITY_DELTA, AGGREGATION_TEMPORALITY_CUMULATIVE
    whole = metric("sum", "sum", aggregation_temporality=delta, is_monotonic=True)
    whole.as_int = 2**53 + 1
    _exemplar(whole, now, as_int=7)
    total = metric("total", "sum", aggregation_temporality=cumulative)
    total.as_double = -0.1
    gauge = metric("gauge", "gauge")
    gauge.as_double = 0.5
    _exemplar(gauge, now, as_double=0.5)
    # A point without a value says that there is none.
    metric("none", "gauge").flags = _NO_VALUE
    for kind in ("histogram", "exponential_histogram"):
        metric(f"none.{kind}", kind, aggregation_temporality=delta).flags = _NO_VALUE
    metric("none.summary", "summary").flags = _NO_VALUE
    histogram = metric("histogram", "histogram", aggregation_temporality=delta)
    histogram.count, histogram.sum, histogram.min, histogram.max = 3, 6.5, 0.5, 4.0
    histogram.explicit_bounds.extend([1.0, 2.0])
    histogram.bucket_counts.extend([1, 1, 1])
    _exemplar(histogram, now, as_double=4.0)
    fine = metric("fine", "exponential_histogram", aggregation_temporality=cumulative)
    fine.count, fine.sum, fine.min, fine.max = 6, 1.5, -2.0, 4.0
    fine.scale, fine.zero_count, fine.zero_threshold = 1, 2, 0.001
    fine.positive.offset, fine.negative.offset = 1, -1
    fine.positive.bucket_counts.extend([1, 2])
    fine.negative.bucket_counts.extend([1])
    _exemplar(fine, now, as_double=4.0)
    summary = metric("summary", "summary")
    summary.count, summary.sum = 4, 10.0
    summary.quantile_values.add(quantile=0.5, value=2.5)
    return request


def _exemplar(point: Any, now: int, **value: Any) -> None:
    made = point.exemplars.add(time_unix_nano=now - 1, **value)
    made.trace_id, made.span_id = b"\x01" * 16, b"\x02" * 8
    _put(made.filtered_attributes, {"dropped": "by the view"})


def _logs(now: int, mark: str) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    block = group.scope_logs.add()
    _begin(group, block)
    for number, body in enumerate(("a text", {"a": ["map"]}, None)):
        record = block.log_records.add(
            time_unix_nano=now + number,
            observed_time_unix_nano=now + number + 7,
            severity_number=13,
            severity_text="Warning",
            event_name=f"{_NAME}.{number}",
            flags=1,
            dropped_attributes_count=4,
            trace_id=b"\x03" * 16,
            span_id=b"\x04" * 8,
        )
        if body is not None:
            _value(record.body, body)
        _put(record.attributes, {**_every_type(mark), "event.sequence": number})
    return request


def _traces(now: int, mark: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    block = group.scope_spans.add()
    _begin(group, block)
    span = block.spans.add(
        name=_NAME,
        kind=3,
        trace_id=uuid.UUID(mark).bytes,
        span_id=uuid.UUID(mark).bytes[:8],
        parent_span_id=b"\x05" * 8,
        trace_state="vendor=value",
        flags=0x301,
        start_time_unix_nano=now - _SECOND,
        end_time_unix_nano=now,
        dropped_attributes_count=5,
        dropped_events_count=6,
        dropped_links_count=7,
    )
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = "went wrong"
    _put(span.attributes, _every_type(mark))
    event = span.events.add(name="happened", time_unix_nano=now - 1, dropped_attributes_count=8)
    _put(event.attributes, _every_type(mark))
    link = span.links.add(
        trace_id=b"\x06" * 16,
        span_id=b"\x07" * 8,
        trace_state="other=value",
        flags=0x101,
        dropped_attributes_count=9,
    )
    _put(link.attributes, _every_type(mark))
    return request
