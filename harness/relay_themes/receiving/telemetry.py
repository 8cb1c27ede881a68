"""Telemetry with a marker: one item as Claude Code sends it, in every form that a probe needs.

A marker is a word that stands in several attributes of its item, so that it is found again
wherever the item comes out, also if some of them are taken away on the way.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from ...otlp.codec import encode
from ...otlp.json_encode import to_json
from ...otlp.messages import (
    ENCODINGS,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from ...otlp.model import Protocol, Signal
from ...otlp.writing import put_attributes

#: What every marker looks like: letters and digits alone, so that no translation changes it.
MARKER = re.compile(r"ccotel[0-9a-f]{8}[0-9]{4}")

#: The attributes that hold the marker.
MARKED = ("session.id", "prompt.id", "request_id")

#: Far above the number of any marker that is given out.
_ODD = 5000

#: The resource and scope of a session.
RESOURCE = {
    "service.name": "claude-code",
    "service.version": "2.1.332",
    "os.type": "linux",
    "host.arch": "amd64",
}
SCOPES = {
    Signal.METRICS: "com.anthropic.claude_code",
    Signal.LOGS: "com.anthropic.claude_code.events",
    Signal.TRACES: "com.anthropic.claude_code.tracing",
}

#: JSON: the arrays of resource groups, of scope groups, and of what these hold.
ARRAYS = {
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}


class Markers:
    """Makes markers that no other run has."""

    def __init__(self) -> None:
        self._run = uuid.uuid4().hex[:8]
        self._number = 0

    def next(self) -> str:
        """Return a marker that was not given out before."""
        self._number += 1
        return f"ccotel{self._run}{self._number:04}"


@dataclass(frozen=True, slots=True)
class Draft:
    """What one request is to carry: an item of ``signal`` with ``marker``, for ``protocol``."""

    protocol: Protocol
    signal: Signal
    marker: str

    def message(self) -> Any:
        """Return the request as a message, to be edited by who asked for it."""
        return _MESSAGES[self.signal](self.marker)

    def document(self) -> dict[str, Any]:
        """Return the request as the values of canonical OTLP/JSON."""
        return to_json(self.message())

    def body(self, message: Request | None = None) -> bytes:
        """Encode ``message``, or the plain request, as the protocol wants it."""
        return encode(message or self.message(), ENCODINGS[self.protocol])

    def json(self, document: Any) -> bytes:
        """Encode a document as JSON."""
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def as_json(self) -> bool:
        """Whether the protocol speaks JSON."""
        return self.protocol is Protocol.HTTP_JSON


def group_of(message: Any) -> Any:
    """Return the resource group of a message."""
    (group,) = next(iter(message.ListFields()))[1]
    return group


def item_of(message: Any) -> Any:
    """Return the item with the marker: a data point, a log record or a span."""
    group = group_of(message)
    if isinstance(message, ExportLogsServiceRequest):
        return group.scope_logs[0].log_records[0]
    if isinstance(message, ExportTraceServiceRequest):
        return group.scope_spans[0].spans[0]
    return group.scope_metrics[0].metrics[0].sum.data_points[0]


def json_group(document: dict[str, Any], signal: Signal) -> dict[str, Any]:
    """Return the resource group of a document."""
    group: dict[str, Any] = document[ARRAYS[signal][0]][0]
    return group


def json_scope(document: dict[str, Any], signal: Signal) -> dict[str, Any]:
    """Return the scope group of a document."""
    scope: dict[str, Any] = json_group(document, signal)[ARRAYS[signal][1]][0]
    return scope


def json_item(document: dict[str, Any], signal: Signal) -> dict[str, Any]:
    """Return the item with the marker within a document."""
    item: dict[str, Any] = json_scope(document, signal)[ARRAYS[signal][2]][0]
    return item["sum"]["dataPoints"][0] if signal is Signal.METRICS else item


def odd(marker: str) -> str:
    """Return the marker of the odd item that stands beside the one with ``marker``."""
    return f"{marker[:-4]}{int(marker[-4:]) + _ODD:04}"


@cache
def carried() -> frozenset[str]:
    """Return the attributes that items have, but for the marked ones: the same in every item."""
    items = (item_of(make("")) for make in _MESSAGES.values())
    return frozenset(each.key for item in items for each in item.attributes) - frozenset(MARKED)


def trace_id(marker: str) -> bytes:
    """Return the trace id of the item with ``marker``; its first eight bytes are the span's."""
    return hashlib.sha256(marker.encode()).digest()[:16]


def _put_all(attributes: Any, marker: str, **more: str | bool | int | float) -> None:
    put_attributes(attributes, dict.fromkeys(MARKED, marker))
    put_attributes(attributes, {key.replace("__", "."): value for key, value in more.items()})


def _describe(group: Any, scope: Any, signal: Signal) -> None:
    put_attributes(group.resource.attributes, RESOURCE)
    scope.scope.name = SCOPES[signal]
    scope.scope.version = RESOURCE["service.version"]


def _logs(marker: str) -> ExportLogsServiceRequest:
    message = ExportLogsServiceRequest()
    group = message.resource_logs.add()
    scope = group.scope_logs.add()
    _describe(group, scope, Signal.LOGS)
    now = _now()
    record = scope.log_records.add(time_unix_nano=now, observed_time_unix_nano=now)
    record.body.string_value = "claude_code.api_request"
    _put_all(
        record.attributes,
        marker,
        event__name="api_request",
        event__sequence=3,
        model="claude-sonnet-4-5",
        input_tokens=1024,
        cost_usd=0.0125,
        speed="normal",
    )
    return message


def _metrics(marker: str) -> ExportMetricsServiceRequest:
    message = ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    scope = group.scope_metrics.add()
    _describe(group, scope, Signal.METRICS)
    metric = scope.metrics.add(
        name="claude_code.token.usage", description="Number of tokens used", unit="tokens"
    )
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    now = _now()
    point = metric.sum.data_points.add(
        as_double=1024.0, start_time_unix_nano=now - 1_000_000_000, time_unix_nano=now
    )
    _put_all(point.attributes, marker, type="input", model="claude-sonnet-4-5")
    return message


def _traces(marker: str) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    scope = group.scope_spans.add()
    _describe(group, scope, Signal.TRACES)
    now = _now()
    span = scope.spans.add(
        name="claude_code.llm_request",
        kind=1,
        trace_id=trace_id(marker),
        span_id=trace_id(marker)[:8],
        start_time_unix_nano=now - 1_000_000_000,
        end_time_unix_nano=now,
    )
    _put_all(span.attributes, marker, model="claude-sonnet-4-5", input_tokens=1024)
    return message


_MESSAGES = {Signal.METRICS: _metrics, Signal.LOGS: _logs, Signal.TRACES: _traces}


def _now() -> int:
    """Return the time in nanoseconds; whole milliseconds, as Claude Code knows no others."""
    return time.time_ns() // 1_000_000 * 1_000_000
