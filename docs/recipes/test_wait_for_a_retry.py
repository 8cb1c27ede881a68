"""Wait for a retry: a collector that refuses at first, and an exporter that must come again."""

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from pytest_cc_otel import CollectorResponse


@pytest.fixture
def otlp_collector_options():
    """Refuse what comes first; None is full success."""
    refusals = iter([CollectorResponse(http_status=503, message="try again")])
    return {"responder": lambda export: next(refusals, None)}


def test_it_comes_again(otlp_collector):
    exporter = OTLPLogExporter(endpoint=f"{otlp_collector.http_endpoint}/v1/logs")
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    provider.get_logger("shop").emit(
        event_name="order", severity_number=SeverityNumber.INFO, attributes={"size": 3}
    )
    provider.force_flush()

    event = otlp_collector.wait_for_event("order", deadline_s=60, size=3)
    refused, accepted = otlp_collector.exports
    assert (refused.status, accepted.status) == (503, 200)
    assert refused.body == accepted.body
    assert event.attributes == {"size": 3}
    provider.shutdown()
