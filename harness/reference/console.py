"""Console exporters whose output looks like that of JavaScript's ``console.dir``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    Sum,
)

#: JavaScript's ``undefined``, which is no null.
UNDEFINED = object()

_SUM, _DOUBLE = 3, 1
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


class ConsoleMetricExporter(MetricExporter):
    """An exporter that prints each metric with its data points, always cumulative."""

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        for resource in metrics_data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    _say(_metric(metric))
        return MetricExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None: ...

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True


class ConsoleLogExporter(LogRecordExporter):
    """An exporter that prints each log record."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        for record in batch:
            _say(_log_record(record))
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def _say(value: Mapping[str, Any]) -> None:
    # In one piece: the session prints, too.
    sys.stdout.write(f"{literal(value)}\n")
    sys.stdout.flush()


def _metric(metric: Metric) -> Mapping[str, Any]:
    assert isinstance(metric.data, Sum), "the CLI has counters only"
    return {
        "descriptor": {
            "name": metric.name,
            "type": "COUNTER" if metric.data.is_monotonic else "UP_DOWN_COUNTER",
            "description": metric.description or "",
            "unit": metric.unit or "",
            "valueType": _DOUBLE,
            "advice": {},
        },
        "dataPointType": _SUM,
        "dataPoints": [_point(point) for point in metric.data.data_points],
    }


def _point(point: NumberDataPoint) -> Mapping[str, Any]:
    return {
        "attributes": dict(point.attributes or {}),
        "startTime": list(divmod(point.start_time_unix_nano or 0, 1_000_000_000)),
        "endTime": list(divmod(point.time_unix_nano, 1_000_000_000)),
        "value": point.value,
    }


def _log_record(record: ReadableLogRecord) -> Mapping[str, Any]:
    scope, log = record.instrumentation_scope, record.log_record
    traced = bool(log.trace_id)
    return {
        "resource": {"attributes": dict(record.resource.attributes)},
        "instrumentationScope": {
            "name": scope.name if scope else "",
            "version": (scope.version if scope else "") or UNDEFINED,
            "schemaUrl": UNDEFINED,
        },
        "timestamp": (log.timestamp or 0) // 1000,
        "traceId": format(log.trace_id or 0, "032x") if traced else UNDEFINED,
        "spanId": format(log.span_id or 0, "016x") if traced else UNDEFINED,
        "traceFlags": int(log.trace_flags or 0) if traced else UNDEFINED,
        "severityText": log.severity_text or UNDEFINED,
        "severityNumber": UNDEFINED,
        "body": log.body,
        "attributes": dict(log.attributes or {}),
    }


def literal(value: Any, indent: str = "") -> str:
    """Format ``value`` as a JavaScript object literal; its escapes are those of JSON."""
    inner = f"{indent}  "
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # JavaScript has one kind of number: a whole one has no point.
            return str(int(value)) if value.is_integer() else repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping() if value:
            pairs = (f"{inner}{_key(k)}: {literal(v, inner)},\n" for k, v in value.items())
            return f"{{\n{''.join(pairs)}{indent}}}"
        case Mapping():
            return "{}"
        case list() | tuple() if all(isinstance(item, int) for item in value):
            return f"[ {', '.join(map(literal, value))} ]"
        case list() | tuple():
            return f"[\n{inner}{', '.join(literal(item, inner) for item in value)}\n{indent}]"
    return "undefined"


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else json.dumps(key, ensure_ascii=False)
