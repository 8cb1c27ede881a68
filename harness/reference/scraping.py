"""A Prometheus endpoint like the CLI's: no unit in the names, all labels sanitised."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk.metrics import Counter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    Sum,
)
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ..errors import UsageError
from ..exposition.prometheus import counter_of, label_of

#: Where the documents tell people to scrape.
_PORT = 9464


class PrometheusReader(InMemoryMetricReader):
    """A metric reader that serves the current values at ``/metrics``, until it is shut down."""

    def __init__(self) -> None:
        super().__init__({Counter: AggregationTemporality.CUMULATIVE})
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self))
        host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost"
        port = int(os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT") or _PORT)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise UsageError(
                f"port {port} for Prometheus", seen=str(error), expected="a free port"
            ) from error

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        super().shutdown(timeout_millis, **kwargs)


class _Collector(Collector):
    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            target = Metric("target", "Target metadata", "info")
            described = {label_of(k): str(v) for k, v in resource.resource.attributes.items()}
            target.add_sample("target_info", described, 1)
            yield target
            for scope in resource.scope_metrics:
                labels = {
                    "otel_scope_name": scope.scope.name,
                    "otel_scope_version": scope.scope.version or "",
                }
                for metric in scope.metrics:
                    assert isinstance(metric.data, Sum), "the CLI has counters only"
                    name = counter_of(metric.name)
                    family = Metric(name, metric.description or "", "counter")
                    for point in metric.data.data_points:
                        own = {label_of(k): _text(v) for k, v in (point.attributes or {}).items()}
                        family.add_sample(f"{name}_total", {**own, **labels}, point.value)
                    yield family


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
