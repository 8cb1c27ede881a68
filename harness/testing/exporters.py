"""Which exporters there are for each signal, and how each is made.

Endpoints, headers, certificates, compression and timeouts are read from the environment
by the official OTLP exporters themselves.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from opentelemetry.util.re import parse_env_headers

from harness.errors import UsageError
from harness.otlp.model import Protocol, Signal

_MODULES = {
    Protocol.GRPC: "opentelemetry.exporter.otlp.proto.grpc",
    Protocol.HTTP_PROTOBUF: "opentelemetry.exporter.otlp.proto.http",
    Protocol.HTTP_JSON: "opentelemetry.exporter.otlp.json.http",
}
_CLASSES = {
    Signal.METRICS: ("metric_exporter", "OTLPMetricExporter"),
    Signal.LOGS: ("_log_exporter", "OTLPLogExporter"),
    Signal.TRACES: ("trace_exporter", "OTLPSpanExporter"),
}


def otlp_exporter(signal: Signal, protocol: Protocol, **options: Any) -> Any:
    """The official exporter of ``signal`` over ``protocol``."""
    module, name = _CLASSES[signal]
    try:
        made = getattr(import_module(f"{_MODULES[protocol]}.{module}"), name)
    except ImportError as error:
        raise _missing(error) from error
    return made(headers=_merged_headers(signal), **options)


def _merged_headers(signal: Signal) -> Mapping[str, str] | None:
    """General and per-signal headers, merged as the CLI's documents say.

    The SDK would take the one or the other, so ``None`` (its own way) is for those
    sessions that set no more than one of them.
    """
    general = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS", "")
    return dict(parse_env_headers(f"{general},{own}", liberal=True)) if general and own else None


def _missing(error: ImportError) -> UsageError:
    return UsageError(
        "the installed Python packages",
        seen=f"no {error.name}",
        expected="the extra 'reference': pip install 'pytest-cc-otel[reference]'",
    )
