"""The official OpenTelemetry exporters as clients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import pytest
from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter as JsonMetrics
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcTraces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpTraces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from harness import Collector
from harness.otlp.model import Protocol, Signal

DEADLINE_S = 60
RESOURCE = Resource({"service.name": "subject"})


@dataclass(frozen=True)
class Exporters:
    """Makes official exporters that send to ``collector``, all in one way."""

    collector: Collector
    protocol: Protocol
    gzip: bool

    def metrics(self) -> MetricExporter:
        if self.protocol is Protocol.GRPC:
            return GrpcMetrics(endpoint=self._grpc_endpoint, compression=self._grpc_coding)
        return HttpMetrics(endpoint=self._url(Signal.METRICS), compression=self._http_coding)

    def logs(self) -> LogRecordExporter:
        if self.protocol is Protocol.GRPC:
            return GrpcLogs(endpoint=self._grpc_endpoint, compression=self._grpc_coding)
        return HttpLogs(endpoint=self._url(Signal.LOGS), compression=self._http_coding)

    def traces(self) -> SpanExporter:
        if self.protocol is Protocol.GRPC:
            return GrpcTraces(endpoint=self._grpc_endpoint, compression=self._grpc_coding)
        return HttpTraces(endpoint=self._url(Signal.TRACES), compression=self._http_coding)

    @property
    def _grpc_endpoint(self) -> str:
        return self.collector.endpoint(Protocol.GRPC)

    @property
    def _grpc_coding(self) -> grpc.Compression:
        return grpc.Compression.Gzip if self.gzip else grpc.Compression.NoCompression

    @property
    def _http_coding(self) -> Compression:
        return Compression.Gzip if self.gzip else Compression.NoCompression

    def _url(self, signal: Signal) -> str:
        return f"{self.collector.endpoint(Protocol.HTTP_PROTOBUF)}/v1/{signal.value}"


@pytest.fixture(params=["grpc", "grpc gzip", "http", "http gzip"])
def exporters(request: pytest.FixtureRequest, collector: Collector) -> Exporters:
    kind, _, gzip = request.param.partition(" ")
    protocol = Protocol.GRPC if kind == "grpc" else Protocol.HTTP_PROTOBUF
    return Exporters(collector, protocol, bool(gzip))


def test_metrics_arrive(collector: Collector, exporters: Exporters) -> None:
    provider = MeterProvider(
        [PeriodicExportingMetricReader(exporters.metrics())], resource=RESOURCE
    )
    counter = provider.get_meter("scope", "1.2").create_counter("tokens", unit="1")
    counter.add(42, {"model": "m"})
    provider.shutdown()
    point = collector.wait_for_metric("tokens", DEADLINE_S)
    assert point.value == 42
    assert dict(point.attributes) == {"model": "m"}
    assert dict(point.resource.attributes)["service.name"] == "subject"
    assert (point.scope.name, point.scope.version) == ("scope", "1.2")
    accepted(collector, exporters)


def test_logs_arrive(collector: Collector, exporters: Exporters) -> None:
    provider = LoggerProvider(RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporters.logs()))
    provider.get_logger("scope").emit(
        body="claude_code.user_prompt",
        event_name="claude_code.user_prompt",
        attributes={"prompt_length": 7},
    )
    provider.shutdown()
    event = collector.wait_for_event("claude_code.user_prompt", DEADLINE_S)
    assert event.body == "claude_code.user_prompt"
    assert dict(event.attributes)["prompt_length"] == 7
    accepted(collector, exporters)


def test_traces_arrive(collector: Collector, exporters: Exporters) -> None:
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporters.traces()))
    with provider.get_tracer("scope").start_as_current_span("work") as span:
        context = span.get_span_context()
    provider.shutdown()
    (export,) = collector.wait_for_exports(1, DEADLINE_S)
    (seen,) = export.spans
    assert seen.name == "work"
    assert seen.trace_id == f"{context.trace_id:032x}"
    accepted(collector, exporters)


def accepted(collector: Collector, exporters: Exporters) -> None:
    (export,) = collector.exports
    assert export.rejected == ""
    assert export.protocol is exporters.protocol
    if exporters.protocol is Protocol.HTTP_PROTOBUF:
        assert export.header("content-encoding") == ("gzip" if exporters.gzip else None)


@pytest.mark.parametrize("path", ["", "/", "/custom/", "/custom/v1/metrics"])
@pytest.mark.parametrize("exporter", [HttpMetrics, JsonMetrics])
def test_metrics_arrive_wherever_their_endpoint_points(
    exporter: type[HttpMetrics] | type[JsonMetrics], path: str
) -> None:
    with Collector(paths={"*": Signal.METRICS}) as collector:
        reader = PeriodicExportingMetricReader(exporter(f"{collector.http_endpoint}{path}"))
        provider = MeterProvider([reader], resource=RESOURCE)
        provider.get_meter("scope").create_counter("tokens").add(42)
        provider.shutdown()
        assert collector.wait_for_metric("tokens", DEADLINE_S).value == 42
    (export,) = collector.exports
    assert (export.path, export.signal) == (path or "/", Signal.METRICS)


@pytest.mark.parametrize("exporters", ["grpc", "http gzip"], indirect=True)
def test_many_exporters_at_once_lose_nothing(collector: Collector, exporters: Exporters) -> None:
    clients, each = 8, 25

    def work(client: int) -> None:
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(SimpleSpanProcessor(exporters.traces()))
        tracer = provider.get_tracer("scope")
        for number in range(each):
            tracer.start_span(f"{client}.{number}").end()
        provider.shutdown()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))
    exports = collector.wait_for_exports(clients * each, DEADLINE_S)
    names = sorted(span.name for export in exports for span in export.spans)
    assert names == sorted(f"{c}.{n}" for c in range(clients) for n in range(each))
    assert [export.sequence for export in exports] == list(range(1, clients * each + 1))
