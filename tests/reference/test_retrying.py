"""The exporters of the conforming emitter at a collector with troubles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter as JsonMetrics
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExporter, MetricsData

from harness import Collector
from harness.fakes.fault_proxy import FaultProxy
from harness.otlp.model import Protocol, Signal
from harness.reference.exporters import OtlpExporters
from harness.reference.retrying import patient
from harness.reference.timeouts import export_timeout_s
from harness.running.responders import Reply, Scripted

PATHS = {
    Protocol.GRPC: "",
    Protocol.HTTP_PROTOBUF: "/v1/metrics",
    Protocol.HTTP_JSON: "/v1/metrics",
}
Exporting = Callable[..., MetricExporter]
EXPORTERS: dict[Protocol, Exporting] = {
    Protocol.GRPC: GrpcMetrics,
    Protocol.HTTP_PROTOBUF: HttpMetrics,
    Protocol.HTTP_JSON: JsonMetrics,
}
OVER_EACH = pytest.mark.parametrize("protocol", Protocol)

RETRIED = (
    Reply("unavailable", 503, 14),
    Reply("exhausted, with a delay", 429, 8, delay_s=1),
    Reply("cancelled", 502, 1),
)
DROPPED = (Reply("bad", 400, 3), Reply("internal", 500, 13), Reply("partial", rejected=1))


@pytest.fixture(scope="module")
def data() -> MetricsData:
    reader = InMemoryMetricReader()
    MeterProvider([reader], shutdown_on_exit=False).get_meter("scope").create_counter("c").add(1)
    collected = reader.get_metrics_data()
    assert collected is not None
    return collected


@pytest.fixture
def exporting() -> Iterator[Exporting]:
    """``exporting(protocol, base_url)``: an exporter, shut down at the end."""
    made = []

    def make(protocol: Protocol, base_url: str, timeout: float = 30) -> MetricExporter:
        exporter = EXPORTERS[protocol](endpoint=base_url + PATHS[protocol], timeout=timeout)
        made.append(patient(exporter))
        return made[-1]

    yield make
    for exporter in made:
        exporter.shutdown()


def sent(
    exporting: Exporting, data: MetricsData, protocol: Protocol, reply: Reply
) -> tuple[str, list[int]]:
    """How the export ended, and when its requests came."""
    with Collector(responder=Scripted({Signal.METRICS: (reply,)})) as collector:
        result = exporting(protocol, collector.endpoint(protocol)).export(data)
        return result.name, [export.arrived_unix_nano for export in collector.exports]


@OVER_EACH
@pytest.mark.parametrize("reply", RETRIED, ids=lambda reply: reply.called)
def test_what_may_be_sent_again_is(
    exporting: Exporting, data: MetricsData, protocol: Protocol, reply: Reply
) -> None:
    result, (first, second) = sent(exporting, data, protocol, reply)
    assert result == "SUCCESS"
    assert second - first >= 0.05e9
    if reply.delay_s:
        assert second - first >= reply.delay_s * 1e9 - 1e6


@OVER_EACH
@pytest.mark.parametrize("reply", DROPPED, ids=lambda reply: reply.called)
def test_what_may_not_be_sent_again_is_not(
    exporting: Exporting, data: MetricsData, protocol: Protocol, reply: Reply
) -> None:
    result, arrived = sent(exporting, data, protocol, reply)
    assert (result == "SUCCESS") is (reply.rejected is not None)
    assert len(arrived) == 1


def test_exhaustion_without_a_delay_is_final_over_grpc(
    exporting: Exporting, data: MetricsData
) -> None:
    result, arrived = sent(exporting, data, Protocol.GRPC, Reply("exhausted", 429, 8))
    assert (result, len(arrived)) == ("FAILURE", 1)


@OVER_EACH
def test_a_connection_that_was_cut_is_made_again_after_a_pause(
    exporting: Exporting, data: MetricsData, protocol: Protocol
) -> None:
    with Collector() as collector:
        grpc = protocol is Protocol.GRPC
        port = collector.grpc_port if grpc else collector.http_port
        with FaultProxy((port,), is_open=False) as proxy:
            exporter = exporting(protocol, f"http://127.0.0.1:{proxy.port(port)}", timeout=0.05)
            assert exporter.export(data).name == "FAILURE"
            proxy.open()
            exporter = exporting(protocol, f"http://127.0.0.1:{proxy.port(port)}")
            assert exporter.export(data).name == "SUCCESS"
            assert len(collector.exports) == 1


def test_logs_follow_the_same_rules() -> None:
    with Collector() as collector:
        exporter = patient(GrpcLogs(endpoint=collector.endpoint(Protocol.GRPC)))
        assert exporter.export([]) is LogRecordExportResult.SUCCESS
        exporter.shutdown()
        assert exporter.export([]) is LogRecordExportResult.FAILURE


@OVER_EACH
def test_the_end_of_a_session_gives_up_what_has_no_answer(
    data: MetricsData, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout_s = 600
    monkeypatch.setattr("harness.reference.exporters._AT_THE_END_S", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(timeout_s * 1000))
    with Collector() as collector, FaultProxy((collector.http_port,), is_open=False) as proxy:
        endpoint = f"http://127.0.0.1:{proxy.port(collector.http_port)}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        exporters = OtlpExporters()
        exporter = exporters.make(Signal.METRICS, protocol)
        began = time.monotonic()
        exporters.hurry()
        assert exporter.export(data).name == "FAILURE"
        assert time.monotonic() - began < timeout_s / 2, "it did not wait for its answer"
        exporters.settle()


def test_the_timeout_is_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert export_timeout_s(Signal.LOGS) == 10
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1500")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "700")
    assert (export_timeout_s(Signal.METRICS), export_timeout_s(Signal.LOGS)) == (1.5, 0.7)
