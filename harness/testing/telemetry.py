"""The official OpenTelemetry SDK and its OTLP exporters, set up as the CLI's are.

Endpoints, headers, certificates, compression and timeouts are read from the
environment by the exporters themselves; here is only what the CLI's documents add:
delta temporality by default, its own intervals, and a bare resource.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry.metrics import Counter as ApiCounter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import Counter, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.util.re import parse_env_headers

from harness.errors import UsageError
from harness.otlp.model import Protocol, Signal
from harness.testing import exporting
from harness.testing.attributes import Scalar
from harness.testing.facts import METRICS, unit_of
from harness.testing.settings import Settings
from harness.testing.versions import Promises

if TYPE_CHECKING:
    from harness.testing.tracing import Tracing

_SCOPE = "com.anthropic.claude_code"
_EVENTS_SCOPE = "com.anthropic.claude_code.events"
_SERVICE_NAME = "service.name"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# The documents send whoever misses data to the debug log: export errors are not printed.
logging.getLogger("opentelemetry").addHandler(logging.NullHandler())

_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


def custom_attributes() -> dict[str, Scalar]:
    """OTEL_RESOURCE_ATTRIBUTES, read by the SDK."""
    detected = OTELResourceDetector().detect().attributes
    return {
        key: value
        for key, value in detected.items()
        # OTEL_SERVICE_NAME would appear here, too, and is not a custom attribute.
        if key != _SERVICE_NAME and isinstance(value, str)
    }


def resource(version: str) -> Resource:
    """The documented attributes and the custom ones, but not the SDK's own
    ``telemetry.sdk.*``, which the CLI does not send."""
    machine = platform.machine().lower()
    return Resource(
        {
            **custom_attributes(),
            _SERVICE_NAME: "claude-code",
            "service.version": version,
            "os.type": platform.system().lower(),
            "os.version": platform.release(),
            "host.arch": _ARCHITECTURES.get(machine, machine),
        }
    )


class OtlpSink:
    """A :class:`harness.testing.facts.Sink` that exports over OTLP.

    A signal without a protocol in ``settings`` goes nowhere.  ``tracing`` knows the
    trace that an event belongs to.
    """

    def __init__(
        self,
        settings: Settings,
        promises: Promises,
        version: str,
        described: Resource,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._meter_provider: MeterProvider | None = None
        self._counters: dict[str, ApiCounter] = {}
        self._logger_provider: LoggerProvider | None = None
        if settings.metrics_protocol is not None:
            # The reader takes OTEL_METRIC_EXPORT_INTERVAL from the environment.
            reader = PeriodicExportingMetricReader(_metric_exporter(settings.metrics_protocol))
            self._meter_provider = MeterProvider([reader], described, shutdown_on_exit=False)
            meter = self._meter_provider.get_meter(_SCOPE, version)
            self._counters = {
                name: meter.create_counter(
                    f"claude_code.{name}", unit_of(name, promises), description
                )
                for name, (_, description) in METRICS.items()
            }
        if settings.logs_protocol is not None:
            self._logger_provider = LoggerProvider(described, shutdown_on_exit=False)
            self._logger_provider.add_log_record_processor(
                BatchLogRecordProcessor(
                    _log_exporter(settings.logs_protocol),
                    schedule_delay_millis=settings.logs_interval_ms,
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
        """Export what is waiting."""
        if self._logger_provider is not None:
            self._logger_provider.shutdown()
        if self._meter_provider is not None:
            self._meter_provider.shutdown()


def _metric_exporter(protocol: Protocol) -> MetricExporter:
    temporality: dict[type, AggregationTemporality] | None = None
    if not os.environ.get(_TEMPORALITY):
        temporality = {Counter: AggregationTemporality.DELTA}
    headers = merged_headers(Signal.METRICS)
    options = exporting.options(Signal.METRICS, protocol)
    try:
        if protocol is Protocol.GRPC:
            from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc

            return grpc.OTLPMetricExporter(
                preferred_temporality=temporality, headers=headers, **options
            )
        if protocol is Protocol.HTTP_PROTOBUF:
            from opentelemetry.exporter.otlp.proto.http import metric_exporter as http

            return http.OTLPMetricExporter(
                preferred_temporality=temporality, headers=headers, **options
            )
        from opentelemetry.exporter.otlp.json.http import metric_exporter as json

        return json.OTLPMetricExporter(
            preferred_temporality=temporality, headers=headers, **options
        )
    except ImportError as error:
        raise missing(error) from error


def _log_exporter(protocol: Protocol) -> LogRecordExporter:
    headers = merged_headers(Signal.LOGS)
    options = exporting.options(Signal.LOGS, protocol)
    try:
        if protocol is Protocol.GRPC:
            from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc

            return grpc.OTLPLogExporter(headers=headers, **options)
        if protocol is Protocol.HTTP_PROTOBUF:
            from opentelemetry.exporter.otlp.proto.http import _log_exporter as http

            return http.OTLPLogExporter(headers=headers, **options)
        from opentelemetry.exporter.otlp.json.http import _log_exporter as json

        return json.OTLPLogExporter(headers=headers, **options)
    except ImportError as error:
        raise missing(error) from error


def merged_headers(signal: Signal) -> dict[str, str] | None:
    """General and per-signal headers, merged as the CLI's documents say.

    The SDK would take the one or the other, so ``None`` (its own way) is for those
    sessions that set no more than one of them.
    """
    general = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS", "")
    return dict(parse_env_headers(f"{general},{own}", liberal=True)) if general and own else None


def missing(error: ImportError) -> UsageError:
    return UsageError(
        "the installed Python packages",
        seen=f"no {error.name}",
        expected="the extra 'reference': pip install 'pytest-cc-otel[reference]'",
    )
