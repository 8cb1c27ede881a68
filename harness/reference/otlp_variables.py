"""Normalise OTEL_EXPORTER_OTLP_* variables, so that all exporters read them alike."""

from __future__ import annotations

from collections.abc import MutableMapping
from urllib.parse import unquote

from ..otlp.model import Signal

_OTLP = "OTEL_EXPORTER_OTLP_"
_UNCOMPRESSED = "none"


def settle(environ: MutableMapping[str, str]) -> None:
    """Remove empty variables and unsendable headers, and set compression for each signal.

    The SDK's exporters take an empty variable for a value, and the gRPC one does not know
    ``none``, so that compression could not be switched off for a single signal.
    """
    for name in [variable for variable in environ if variable.startswith(_OTLP)]:
        if name.endswith("HEADERS"):
            # One that cannot be sent would stop all exports over gRPC.
            members = environ[name].split(",")
            environ[name] = ",".join(filter(_sendable, members))
        if not environ[name].strip():
            del environ[name]
    general = environ.pop(f"{_OTLP}COMPRESSION", _UNCOMPRESSED)
    for signal in Signal:
        name = f"{_OTLP}{signal.upper()}_COMPRESSION"
        value = environ.pop(name, general).strip().lower()
        if value != _UNCOMPRESSED:
            environ[name] = value


def _sendable(member: str) -> bool:
    value = unquote(member.partition("=")[2].strip())
    return value.isascii() and (value.isprintable() or not value)
