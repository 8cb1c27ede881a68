"""Set up the official OpenTelemetry SDK as the CLI's is.

This adds what the CLI's documents say: delta temporality by default, its own intervals,
several exporters at once, and a bare resource.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from opentelemetry.metrics import Counter as ApiCounter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource

from ..otlp.model import Signal
from .attributes import Scalar
from .exporters import OtlpExporters
from .facts import METRICS, unit_of
from .settings import CONSOLE, PROMETHEUS, Settings
from .versions import Promises

if TYPE_CHECKING:
    from .tracing import Tracing

_SCOPE = "com.anthropic.claude_code"
_EVENTS_SCOPE = "com.anthropic.claude_code.events"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# The documents send whoever misses data to the debug log: export errors are not printed.
logging.getLogger("opentelemetry").addHandler(logging.NullHandler())

_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


def resource(version: str, custom: Mapping[str, Scalar]) -> Resource:
    """Make the resource: the documented attributes and the ``custom`` ones.

    It has none of the SDK's own ``telemetry.sdk.*``, which the CLI does not send.
    """
    machine = platform.machine().lower()
    return Resource(
        {
            **custom,
            "service.name": "claude-code",
            "service.version": version,
            "os.type": platform.system().lower(),
            "os.version": platform.release(),
            "host.arch": _ARCHITECTURES.get(machine, machine),
        }
    )


class SdkSink:
    """A :class:`harness.reference.facts.Sink` that exports with the SDK, by ``settings``.

    A signal without an exporter is dropped. ``tracing`` knows the trace that an event
    belongs to.
    """

    def __init__(
        self,
        settings: Settings,
        promises: Promises,
        version: str,
        described: Resource,
        exporters: OtlpExporters,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._meter_provider: MeterProvider | None = None
        self._counters: dict[str, ApiCounter] = {}
        self._logger_provider: LoggerProvider | None = None
        if readers := list(_readers(settings, exporters)):
            self._meter_provider = MeterProvider(readers, described, shutdown_on_exit=False)
            meter = self._meter_provider.get_meter(_SCOPE, version)
            bare = promises.prometheus_without_units and settings.metrics_exporters == {PROMETHEUS}
            self._counters = {
                name: meter.create_counter(
                    f"claude_code.{name}", "" if bare else unit_of(name, promises), description
                )
                for name, (_, description) in METRICS.items()
            }
        if log_exporters := list(_log_exporters(settings, exporters)):
            self._logger_provider = LoggerProvider(described, shutdown_on_exit=False)
            for exporter in log_exporters:
                self._logger_provider.add_log_record_processor(
                    BatchLogRecordProcessor(
                        exporter, schedule_delay_millis=settings.logs_interval_ms
                    )
                )
            self._logger = self._logger_provider.get_logger(_EVENTS_SCOPE, version)

    def add(self, metric: str, amount: float, attributes: Mapping[str, Scalar]) -> None:
        if self._meter_provider is not None:
            self._counters[metric].add(amount, dict(attributes))

    def log(self, event: str, unix_ms: int, attributes: Mapping[str, Scalar]) -> None:
        if self._logger_provider is not None:
            self._logger.emit(
                timestamp=unix_ms * 1_000_000,
                observed_timestamp=unix_ms * 1_000_000,
                context=None if self._tracing is None else self._tracing.of_events,
                body=f"claude_code.{event}",
                attributes=dict(attributes),
            )

    def close(self) -> None:
        """Export what is buffered, all signals at the same time: traces, too."""
        closable = (self._logger_provider, self._meter_provider)
        shutdowns = [provider.shutdown for provider in closable if provider is not None]
        if self._tracing is not None:
            shutdowns.append(self._tracing.close)
        with ThreadPoolExecutor(len(shutdowns) or 1) as threads:
            ends = [threads.submit(shutdown) for shutdown in shutdowns]
        for end in ends:
            end.result()


def _readers(settings: Settings, exporters: OtlpExporters) -> Iterator[MetricReader]:
    """Make a metric reader for each exporter of metrics."""
    if settings.metrics_protocol is not None:
        # What the variable says, if it says something, the exporter reads itself.
        delta = {} if os.environ.get(_TEMPORALITY) else {Counter: AggregationTemporality.DELTA}
        exporter = exporters.make(
            Signal.METRICS, settings.metrics_protocol, preferred_temporality=delta or None
        )
        yield PeriodicExportingMetricReader(exporter, settings.metrics_interval_ms)
    if CONSOLE in settings.metrics_exporters:
        from .console import ConsoleMetricExporter

        yield PeriodicExportingMetricReader(ConsoleMetricExporter(), settings.metrics_interval_ms)
    if PROMETHEUS in settings.metrics_exporters:
        from .scraping import PrometheusReader

        yield PrometheusReader()


def _log_exporters(settings: Settings, exporters: OtlpExporters) -> Iterator[LogRecordExporter]:
    if settings.logs_protocol is not None:
        yield exporters.make(Signal.LOGS, settings.logs_protocol)
    if CONSOLE in settings.logs_exporters:
        from .console import ConsoleLogExporter

        yield ConsoleLogExporter()
