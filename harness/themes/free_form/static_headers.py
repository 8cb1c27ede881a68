"""Measure how values of OTEL_EXPORTER_OTLP_HEADERS were sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...env_lists.pairs import Reading, read
from ...judging.items.describe import abridged
from ...judging.items.item import Item
from ...otlp.model import Protocol, Signal
from ..ending import ended

VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"

#: Headers that belong to the transport, or to OTLP itself: nobody can ask for others.
_RESERVED = frozenset(
    {
        *("host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te"),
        *("trailer", "upgrade", "expect", "date", "via", "user-agent", "accept-encoding"),
        *("accept", "cookie", "set-cookie", "baggage", "traceparent", "tracestate"),
    }
)
_RESERVED_BEGINNINGS = ("content-", "grpc-", "proxy-", "sec-", "access-control-", "accept-")
#: gRPC sends and expects such names in base64.
_BINARY = "-bin"


def is_reserved(name: str) -> bool:
    """Return whether a header (name in lower case) is the transport's or OTLP's, not the user's."""
    return name in _RESERVED or name.startswith(_RESERVED_BEGINNINGS) or name.endswith(_BINARY)


def static_headers(capture: Capture) -> list[Item]:
    """Return items for a run with the variable set: one for each signal, one for its session.

    ``kind`` is ``requests`` or ``session``, ``transport`` ``grpc`` or ``http``. ``quirks`` are
    the kinds of odd input in the text; ``encoded``, ``empty`` and ``unsendable`` say whether a
    value is percent-encoded, is empty, or cannot be the value of a header once decoded;
    ``reserved``, whether a name is the transport's or OTLP's. ``arrived`` counts the requests.
    ``wrong`` are headers that some request lacks or has with another value: each with what is
    ``expected`` and what was ``seen``.

    ``ended`` is the end of the session: ``exit_code``, and ``asked`` (requests to the model).
    """
    run = capture.run
    text = run.environment.get(VARIABLE)
    if text is None:
        return []
    reading = read(text)
    where = f"{run.label} · {VARIABLE}={abridged(text)}"
    session = {"kind": "session", "ended": ended(capture.run)}
    items = [Item(where, session)]
    if run.truth.api_calls:
        about, wanted = _about(reading), _wanted(reading)
        items += [
            Item(f"{where} · {signal} requests", {**about, **_view(capture, signal, wanted)})
            for signal in (Signal.METRICS, Signal.LOGS)
        ]
    return items


def _wanted(reading: Reading) -> dict[str, str]:
    return {
        name: value
        for key, value in reading.attributes.items()
        if not is_reserved(name := key.lower())
    }


def _about(reading: Reading) -> dict[str, Any]:
    values = list(reading.attributes.values())
    return {
        "quirks": sorted(reading.quirks),
        "encoded": any("%" in member.raw for member in reading.members),
        "empty": "" in values,
        "unsendable": not all(_sendable(value) for value in values),
        "reserved": any(is_reserved(member.key.lower()) for member in reading.members),
    }


def _sendable(value: str) -> bool:
    """Return whether a text is a field value by RFC 9110, section 5.5, in ASCII."""
    return value == value.strip() and value.isascii() and value.isprintable()


def _view(capture: Capture, signal: Signal, wanted: Mapping[str, str]) -> dict[str, Any]:
    requests = [export for export in capture.exports if export.signal is signal]
    return {
        "kind": "requests",
        "signal": str(signal),
        "transport": "grpc" if capture.run.protocol is Protocol.GRPC else "http",
        "arrived": len(requests),
        "wrong": dict(_wrong(wanted, requests)),
    }


def _wrong(wanted: Mapping[str, str], requests: Sequence[Export]) -> Iterator[tuple[str, Any]]:
    for name, value in wanted.items():
        sent = {export.header(name) for export in requests} or {None}
        if sent != {value}:
            shown = sorted(sent, key=lambda text: (text is not None, text or ""))
            yield name, {"expected": value, "seen": shown[0] if len(shown) == 1 else shown}
