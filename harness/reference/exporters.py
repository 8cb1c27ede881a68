"""Make the OTLP exporters of each signal, from the official packages.

Endpoints and compression are read from the environment by the exporters
themselves.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from opentelemetry.util.re import parse_env_headers

from ..errors import UsageError
from ..otlp.model import Protocol, Signal
from .certificates import certificates
from .headers_helper import DynamicHeaders
from .retrying import patient
from .timeouts import export_timeout_s

_MODULES = {
    Protocol.GRPC: "opentelemetry.exporter.otlp.proto.grpc",
    Protocol.HTTP_PROTOBUF: "opentelemetry.exporter.otlp.proto.http",
    Protocol.HTTP_JSON: "opentelemetry.exporter.otlp.json.http",
}
#: What the end of a session may wait for its last exports.
_AT_THE_END_S = 2.0

_CLASSES = {
    Signal.METRICS: ("metric_exporter", "OTLPMetricExporter"),
    Signal.LOGS: ("_log_exporter", "OTLPLogExporter"),
    Signal.TRACES: ("trace_exporter", "OTLPSpanExporter"),
}


class OtlpExporters:
    """The official OTLP exporters of one session, with a time limit for its end.

    ``headers`` are those that a helper prints, if there is one.
    """

    def __init__(self, headers: DynamicHeaders | None = None) -> None:
        self._headers = headers
        self._made: list[Any] = []
        self._end = threading.Timer(_AT_THE_END_S, self._give_up)
        self._end.daemon = True

    def make(self, signal: Signal, protocol: Protocol, **options: Any) -> Any:
        """Make the exporter of ``signal`` over ``protocol``, with further ``options``."""
        module, name = _CLASSES[signal]
        try:
            official = getattr(import_module(f"{_MODULES[protocol]}.{module}"), name)
        except ImportError as error:
            raise _missing(error) from error
        made = official(
            headers=_merged_headers(signal),
            timeout=export_timeout_s(signal),
            **certificates(signal, protocol),
            **options,
        )
        self._made.append(made)
        exporter = patient(made)
        return self._headers.on(exporter, protocol) if self._headers else exporter

    def hurry(self) -> None:
        """Start the time limit of the session's end, after which all exporters are shut down."""
        self._end.start()

    def settle(self) -> None:
        """Cancel the time limit, as all exports have ended."""
        self._end.cancel()

    def _give_up(self) -> None:
        for exporter in self._made:
            exporter.shutdown()


def _merged_headers(signal: Signal) -> Mapping[str, str]:
    """Merge general and per-signal headers, as the CLI's documents say.

    The SDK would use either the one or the other.
    """
    general = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS", "")
    return dict(parse_env_headers(f"{general},{own}", liberal=True))


def _missing(error: ImportError) -> UsageError:
    return UsageError(
        "the installed Python packages",
        seen=f"no {error.name}",
        expected="the extra 'reference': pip install 'pytest-cc-otel[reference]'",
    )
