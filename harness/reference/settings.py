"""The telemetry settings of a session, read from its environment."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ..otlp.model import Protocol, Signal

#: Bodies of the API are logged inline, or by reference to files.
INLINE, IN_FILES = "1", "file:"

#: How long contents may be, in UTF-16 code units.
_CONTENT_LIMIT = 61_440
_CONTENT_LIMIT_VARIABLES = (
    "CLAUDE_CODE_OTEL_CONTENT_MAX_LENGTH",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)

OTLP, CONSOLE, PROMETHEUS, NONE = "otlp", "console", "prometheus", "none"

#: What each signal may be exported by.
_EXPORTERS = {
    Signal.METRICS: (OTLP, PROMETHEUS, CONSOLE, NONE),
    Signal.LOGS: (OTLP, CONSOLE, NONE),
    Signal.TRACES: (OTLP, CONSOLE, NONE),
}

_TRUE = frozenset({"1", "true", "yes", "on"})

_TRACES_BETA = ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "ENABLE_ENHANCED_TELEMETRY_BETA")


def is_true(value: str | None) -> bool:
    return value is not None and value.strip().lower() in _TRUE


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of the documented variables.

    ``*_protocol`` is ``None`` for a signal that is not exported over OTLP.
    """

    metrics_exporters: frozenset[str] = frozenset()
    logs_exporters: frozenset[str] = frozenset()
    metrics_protocol: Protocol | None = None
    logs_protocol: Protocol | None = None
    metrics_interval_ms: float = 60_000.0
    logs_interval_ms: float = 5000.0
    log_user_prompts: bool = False
    log_assistant_responses: bool = False
    log_tool_details: bool = False
    include_session_id: bool = True
    include_version: bool = False
    include_account_uuid: bool = True
    include_entrypoint: bool = False
    include_resource_attributes: bool = True
    traces_protocol: Protocol | None = None
    traces_interval_ms: float = 5000.0
    propagate_traceparent: bool = False
    raw_bodies: str = ""
    content_limit: int = _CONTENT_LIMIT

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables; raise :class:`UsageError` for a value that cannot be followed."""
        enabled = is_true(environ.get("CLAUDE_CODE_ENABLE_TELEMETRY"))
        traces = enabled and any(is_true(environ.get(name)) for name in _TRACES_BETA)

        def chosen(variable: str, default: bool) -> bool:
            value = environ.get(variable)
            return default if not value else is_true(value)

        def switch(name: str, default: bool) -> bool:
            return chosen(f"OTEL_METRICS_INCLUDE_{name}", default)

        log_user_prompts = is_true(environ.get("OTEL_LOG_USER_PROMPTS"))

        return cls(
            metrics_exporters=_exporters(environ, Signal.METRICS) if enabled else frozenset(),
            logs_exporters=_exporters(environ, Signal.LOGS) if enabled else frozenset(),
            metrics_protocol=_protocol(environ, Signal.METRICS) if enabled else None,
            logs_protocol=_protocol(environ, Signal.LOGS) if enabled else None,
            metrics_interval_ms=_milliseconds(environ, "OTEL_METRIC_EXPORT_INTERVAL", 60_000.0),
            logs_interval_ms=_milliseconds(environ, "OTEL_LOGS_EXPORT_INTERVAL", 5000.0),
            log_user_prompts=log_user_prompts,
            log_assistant_responses=chosen("OTEL_LOG_ASSISTANT_RESPONSES", log_user_prompts),
            log_tool_details=is_true(environ.get("OTEL_LOG_TOOL_DETAILS")),
            include_session_id=switch("SESSION_ID", True),
            include_version=switch("VERSION", False),
            include_account_uuid=switch("ACCOUNT_UUID", True),
            include_entrypoint=switch("ENTRYPOINT", False),
            include_resource_attributes=switch("RESOURCE_ATTRIBUTES", True),
            traces_protocol=_protocol(environ, Signal.TRACES) if traces else None,
            traces_interval_ms=_milliseconds(environ, "OTEL_TRACES_EXPORT_INTERVAL", 5000.0),
            propagate_traceparent=is_true(environ.get("CLAUDE_CODE_PROPAGATE_TRACEPARENT")),
            raw_bodies=_raw_bodies(environ.get("OTEL_LOG_RAW_API_BODIES", "")),
            content_limit=_content_limit(environ),
        )


def _raw_bodies(value: str) -> str:
    if value.startswith(IN_FILES) and value != IN_FILES:
        return value
    return INLINE if is_true(value) else ""


def _content_limit(environ: Mapping[str, str]) -> int:
    """Return the limit of contents: the variable's or the default, or a lower one of the SDK."""
    own, *of_sdk = (environ.get(name, "").strip() for name in _CONTENT_LIMIT_VARIABLES)
    limit = int(own) if own.isdecimal() and int(own) else _CONTENT_LIMIT
    return min(limit, *(int(value) if value.isdecimal() else limit for value in of_sdk))


def _exporters(environ: Mapping[str, str], signal: Signal) -> frozenset[str]:
    """Return the exporters in the comma-separated variable of ``signal``.

    Upper and lower case do not matter. OpenTelemetry asks for a warning of an unknown one, and to
    go on as if it were not there.
    """
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    named = {name.strip().lower() for name in environ.get(variable, "").split(",")} - {""}
    known = frozenset(named & {*_EXPORTERS[signal]})
    for name in sorted(named - known):
        warnings.warn(f"{variable}: {name} is no exporter: it is ignored", stacklevel=2)
    return frozenset() if NONE in known else known


def _protocol(environ: Mapping[str, str], signal: Signal) -> Protocol | None:
    """Return the protocol over which ``signal`` is exported; None without the exporter ``otlp``.

    There is no default protocol, as the documents say; upper and lower case do not matter.
    """
    if OTLP not in _exporters(environ, signal):
        return None
    prefix = "OTEL_EXPORTER_OTLP_"
    for name in (f"{prefix}{signal.upper()}_PROTOCOL", f"{prefix}PROTOCOL"):
        if value := environ.get(name, "").strip():
            try:
                return Protocol(value.lower())
            except ValueError:
                # OpenTelemetry asks for a warning, and to go on as if nothing were set.
                warnings.warn(f"{name}={value} is no protocol: it is ignored", stacklevel=2)
    return None


def _milliseconds(environ: Mapping[str, str], name: str, default: float) -> float:
    """Read an interval; warn of a value that is none and use the default, as OpenTelemetry asks."""
    value = environ.get(name, "")
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        warnings.warn(f"{name}={value} is no interval: {default:g} ms are used", stacklevel=2)
        return default
    return number
