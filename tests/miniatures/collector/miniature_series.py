"""Series of Prometheus that a miniature makes of deltas, and serves."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from harness.otlp.flatten import attributes_of
from harness.otlp.messages import ExportMetricsServiceRequest, Request

_UNITS = {"s": "seconds", "1": ""}
_Labels = tuple[tuple[str, str], ...]


@dataclass
class _Counter:
    total: float = 0.0
    ended: int = 0
    scrapes: int = 0


class Series(Collector):
    """Adds up deltas, one counter for each set of labels.

    ``replaces``: where a delta does not begin at the end of the one before, it replaces the total.
    ``resets``: a counter begins again at zero after it was scraped twice.
    """

    def __init__(self, *, replaces: bool = False, resets: bool = False) -> None:
        self._replaces = replaces
        self._resets = resets
        self._lock = threading.Lock()
        self._counters: dict[str, dict[_Labels, _Counter]] = {}
        self._targets: set[_Labels] = set()

    def put(self, message: Request) -> None:
        if not isinstance(message, ExportMetricsServiceRequest):
            return
        with self._lock:
            for group in message.resource_metrics:
                resource = attributes_of(group.resource.attributes)
                target = _target(resource)
                rest = {key: value for key, value in resource.items() if key not in _IN_TARGET}
                self._targets.add((*target, *_labels(rest)))
                for scope in group.scope_metrics:
                    for metric in scope.metrics:
                        if metric.WhichOneof("data") == "sum":
                            self._count(metric, target)

    def _count(self, metric: Any, target: _Labels) -> None:
        counters = self._counters.setdefault(_name(metric.name, metric.unit), {})
        cumulative = metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
        for point in metric.sum.data_points:
            labels = (*target, *_labels(attributes_of(point.attributes)))
            counter = counters.setdefault(labels, _Counter())
            value = getattr(point, point.WhichOneof("value"))
            gap = self._replaces and point.start_time_unix_nano != counter.ended
            counter.total = value if cumulative or gap else counter.total + value
            counter.ended = point.time_unix_nano

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            for name, counters in self._counters.items():
                family = Metric(name, "", "counter")
                for labels, counter in counters.items():
                    family.add_sample(f"{name}_total", dict(labels), counter.total)
                    counter.scrapes += 1
                    if self._resets and counter.scrapes == 2:
                        counter.total = 0.0
                yield family
            if self._targets:
                target = Metric("target_info", "", "gauge")
                for labels in self._targets:
                    target.add_sample("target_info", dict(labels), 1)
                yield target


_IN_TARGET = ("service.name", "service.instance.id")


def _target(resource: Mapping[str, Any]) -> _Labels:
    job, instance = (str(resource.get(key, "")) for key in _IN_TARGET)
    return tuple(pair for pair in (("job", job), ("instance", instance)) if pair[1])


def _labels(attributes: Mapping[str, Any]) -> _Labels:
    return tuple((key.replace(".", "_"), _text(value)) for key, value in sorted(attributes.items()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(name: str, unit: str) -> str:
    """Translate a name: dots to underscores, the unit at the end; ``_total`` comes by itself."""
    base = name.replace(".", "_").removesuffix("_total")
    suffix = _UNITS.get(unit, unit)
    return f"{base}_{suffix}" if suffix and not base.endswith(f"_{suffix}") else base


def serve(series: Series, port: int) -> ThreadingHTTPServer:
    """Serve the series at ``/metrics``, in a thread."""
    registry = CollectorRegistry()
    registry.register(series)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = generate_latest(registry)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
