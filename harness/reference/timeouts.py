"""The timeout of an export, read as OpenTelemetry says."""

from __future__ import annotations

import os

from ..otlp.model import Signal

_DEFAULT_MS = 10_000


def export_timeout_s(signal: Signal) -> float:
    """Return the export timeout of ``signal`` in seconds.

    OpenTelemetry's variables count in milliseconds, though the exporters for Python read seconds
    there; a value that is no positive number means the default.
    """
    general = "OTEL_EXPORTER_OTLP_TIMEOUT"
    own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_TIMEOUT"
    try:
        milliseconds = float(os.environ.get(own) or os.environ.get(general) or _DEFAULT_MS)
    except ValueError:
        return _DEFAULT_MS / 1000
    return (milliseconds if milliseconds > 0 else _DEFAULT_MS) / 1000
