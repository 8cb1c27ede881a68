"""Fill in the places that a command or a configuration of a collector leaves to us.

A command names a place in braces (``otelcol --config {config}``), a configuration as
``${cc:grpc_in}``, in the manner of the OpenTelemetry Collector's own ``${env:NAME}``. Braces that
name no place of ours stay as they are.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from ..errors import UsageError

#: What each place stands for, as errors and ``--help`` say it.
PLACES: Mapping[str, str] = {
    "config": "the file made of --cc-collector-config",
    "grpc_in": "host:port on which the collector is to take OTLP/gRPC",
    "http_in": "host:port on which it is to take OTLP/HTTP",
    "health": "host:port on which it says that it is ready",
    "grpc_out": "host:port to which it is to send OTLP/gRPC",
    "http_out": "http://host:port to which it is to send OTLP/HTTP",
    "file_out": "the file into which it is to write OTLP",
    "scrape": "host:port on which it is to serve Prometheus metrics",
    "write": "the URL to which it is to send Prometheus remote write",
    "folder": "a folder that it may use, empty at first and kept over a restart",
    "certificate": "the certificate of its receiver, which then speaks TLS (PEM file)",
    "key": "the key of that certificate (PEM file)",
    "client_ca": "the authority of the certificate that we show to it (PEM file)",
    "token": "a token that we send as `authorization: Bearer {token}`",
    "ca": "the authority of our own certificates: what comes out is taken with TLS (PEM file)",
    "client_certificate": "the certificate that it is to show to us there (PEM file)",
    "client_key": "the key of that certificate (PEM file)",
}

_IN_CONFIG = re.compile(r"\$\{cc:([^}]*)\}")
_IN_COMMAND = re.compile(r"\{(\w+)\}")


def named_in(text: str, *, command: bool) -> frozenset[str]:
    """Return the places that a command or a configuration names."""
    pattern = _IN_COMMAND if command else _IN_CONFIG
    found = frozenset(pattern.findall(text))
    return found & frozenset(PLACES) if command else found


def filled(text: str, values: Mapping[str, str], option: str) -> str:
    """Return a configuration with the values of its places.

    Raises UsageError, which names ``option``, for a place that does not exist.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            line = text.count("\n", 0, match.start()) + 1
            raise UsageError(
                f"{option} line {line}",
                seen=match[0],
                expected=f"one of {', '.join(f'${{cc:{name}}}' for name in PLACES)}",
            )
        return values[match[1]]

    return _IN_CONFIG.sub(value, text)


def arguments(command: str, values: Mapping[str, str], option: str) -> tuple[str, ...]:
    """Split a command as a shell would, without running one, and fill in its places.

    Raises UsageError, which names ``option``, for a command that cannot be split.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(option, seen=f"{command} ({error})", expected="a command line") from None
    if not words:
        raise UsageError(option, seen="nothing", expected="a command line")
    return tuple(
        _IN_COMMAND.sub(lambda match: values.get(match[1], match[0]), word) for word in words
    )
