"""Test an exporter of your own: wait for what it sends, by name and attributes."""

import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from pytest_cc_otel import DeadlineExceeded


def test_orders_are_counted_by_country(otlp_collector):
    exporter = OTLPMetricExporter(endpoint=otlp_collector.grpc_endpoint, insecure=True)
    provider = MeterProvider([PeriodicExportingMetricReader(exporter)])
    orders = provider.get_meter("shop").create_counter("orders")
    orders.add(3, {"country": "fr"})
    orders.add(4, {"country": "de"})
    provider.shutdown()

    assert otlp_collector.wait_for_metric("orders", deadline_s=60, country="de").value == 4
    with pytest.raises(DeadlineExceeded) as caught:
        otlp_collector.wait_for_metric("orders", deadline_s=0, country="it")
    assert "country is 'fr', not 'it'" in str(caught.value)  # the nearest misses are told
