"""The same telemetry through the official encoders, in both encodings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.json.common._log_encoder import encode_logs as json_logs
from opentelemetry.exporter.otlp.json.common.metrics_encoder import encode_metrics as json_metrics
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans as json_spans
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import (
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from harness.otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from harness.otlp.model import Signal

RESOURCE = Resource({"service.name": "claude-code", "host.cpus": 2, "tags": ["a", "b"]})


Made = TypeVar("Made", bound=Request, covariant=True)


@dataclass(frozen=True)
class Official(Generic[Made]):
    """What the official encoders made of one batch."""

    signal: Signal
    message: Made
    json: bytes


def _metrics() -> Official[ExportMetricsServiceRequest]:
    reader = InMemoryMetricReader(
        preferred_temporality={
            Counter: AggregationTemporality.DELTA,
            Histogram: AggregationTemporality.CUMULATIVE,
        }
    )
    exponential = View(instrument_name="expo", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=RESOURCE, views=[exponential])
    meter = provider.get_meter("com.anthropic.claude_code", "2.1.31")
    tokens = meter.create_counter("claude_code.token.usage", unit="tokens", description="Used")
    tokens.add(5, {"type": "input", "model": "m"})
    tokens.add(2**60, {"type": "output"})
    meter.create_counter("claude_code.cost.usage", unit="USD").add(0.25, {"flag": True})
    meter.create_histogram("plain").record(12.5, {"a": 1})
    meter.create_histogram("expo").record(3.0)
    meter.create_up_down_counter("level").add(-3)
    meter.create_gauge("gauge").set(1.5, {"ratio": 0.5})
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    message = encode_metrics(data)
    return Official(Signal.METRICS, message, json_metrics(data).to_json().encode())


def _logs() -> Official[ExportLogsServiceRequest]:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("com.anthropic.claude_code.events", "2.1.31")
    records: tuple[dict[str, Any], ...] = (
        {"event.name": "user_prompt", "prompt_length": 5, "cost_usd": 0.5, "ok": True},
        {"event.name": "odd", "bytes": b"\x00\xff", "list": ["a", "ü"], "map": {"n": 2**62}},
    )
    for attributes in records:
        logger.emit(
            LogRecord(
                timestamp=1_700_000_000_123_000_000,
                observed_timestamp=1_700_000_000_123_000_000,
                body=f"claude_code.{attributes['event.name']}",
                attributes=attributes,
            )
        )
    batch = exporter.get_finished_logs()
    provider.shutdown()
    return Official(Signal.LOGS, encode_logs(batch), json_logs(batch).to_json().encode())


def _traces() -> Official[ExportTraceServiceRequest]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("com.anthropic.claude_code", "2.1.31")
    with tracer.start_as_current_span("outer", kind=trace.SpanKind.CLIENT) as outer:
        outer.add_event("something", {"n": 1})
        link = trace.Link(outer.get_span_context(), {"why": "test"})
        with tracer.start_as_current_span("inner", links=[link], attributes={"x": 1.5}) as inner:
            inner.set_status(trace.StatusCode.ERROR, "went wrong")
    spans = exporter.get_finished_spans()
    provider.shutdown()
    return Official(Signal.TRACES, encode_spans(spans), json_spans(spans).to_json().encode())


@pytest.fixture(params=[_metrics, _logs, _traces], ids=[*Signal])
def official(request: pytest.FixtureRequest) -> Official[Request]:
    """One batch of each signal."""
    made: Official[Request] = request.param()
    return made


@pytest.fixture
def official_metrics() -> Official[ExportMetricsServiceRequest]:
    return _metrics()


@pytest.fixture
def official_logs() -> Official[ExportLogsServiceRequest]:
    return _logs()


@pytest.fixture
def official_traces() -> Official[ExportTraceServiceRequest]:
    return _traces()
