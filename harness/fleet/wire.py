"""The parts of OTLP/JSON that are judged, as structs that msgspec decodes lines into.

Typed structs were the fastest of the parsers that ``benchmarks/fleet.py`` compares. What they do
not take, the strict decoder of :mod:`harness.otlp` may: then the message is brought into the
canonical form first.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from ..otlp.codec import decode_request, encode
from ..otlp.errors import DecodeError
from ..otlp.messages import Encoding
from ..otlp.model import Signal
from ..otlp.unmarked import protobuf_signal

_EMPTY = msgspec.Raw(b"{}")

# A struct of these refers to no other that refers to it: nothing for the garbage collector.


class Value(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """The value of an attribute: one field is filled, or none for an empty value."""

    string_value: str | None = None
    int_value: str | int | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: dict[str, Any] | None = None
    kvlist_value: dict[str, Any] | None = None
    bytes_value: str | None = None

    def other(self) -> tuple[str, Any]:
        """Return the type and the value of what is no text.

        Raises ValueError for a number that is none.
        """
        if self.int_value is not None:
            return "intValue", int(self.int_value)
        if self.double_value is not None:
            return "doubleValue", double(self.double_value)
        if self.bool_value is not None:
            return "boolValue", self.bool_value
        if self.bytes_value is not None:
            return "bytesValue", self.bytes_value
        if self.array_value is not None:
            return "arrayValue", self.array_value
        return ("", None) if self.kvlist_value is None else ("kvlistValue", self.kvlist_value)


def double(value: float | str) -> float:
    """Return a double as OTLP/JSON writes it. Raises ValueError for what is none."""
    found = float(value)
    if math.isinf(found) and value not in ("Infinity", "-Infinity"):
        raise ValueError(f"{value!r} is too large for a double")
    return found


class Pair(msgspec.Struct, gc=False, omit_defaults=True):
    """An attribute."""

    key: str = ""
    value: Value = msgspec.field(default_factory=Value)


class Record(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """A log record."""

    attributes: list[Pair] = []
    time_unix_nano: str | int = 0
    body: Value = msgspec.field(default_factory=Value)
    event_name: str = ""
    severity_number: int = 0
    severity_text: str = ""
    trace_id: str = ""
    span_id: str = ""
    observed_time_unix_nano: str | int = 0


class Point(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """A data point of a sum or a gauge."""

    attributes: list[Pair] = []
    start_time_unix_nano: str | int = 0
    time_unix_nano: str | int = 0
    as_double: float | str | None = None
    as_int: str | int | None = None


class Numbers(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """The data of a sum or a gauge."""

    data_points: list[Point] = []
    aggregation_temporality: int = 0
    is_monotonic: bool = False


class Metric(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """A metric; histograms and summaries, which the CLI has none of, are kept as they came."""

    name: str = ""
    description: str = ""
    unit: str = ""
    sum: Numbers | None = None
    gauge: Numbers | None = None
    histogram: dict[str, Any] | None = None
    exponential_histogram: dict[str, Any] | None = None
    summary: dict[str, Any] | None = None


class Span(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """A span."""

    name: str = ""
    attributes: list[Pair] = []
    kind: int = 0
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    start_time_unix_nano: str | int = 0
    end_time_unix_nano: str | int = 0
    status: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []


class Block(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """The items of one scope; the list of one signal is filled."""

    scope: msgspec.Raw = _EMPTY
    log_records: list[Record] = []
    metrics: list[Metric] = []
    spans: list[Span] = []


class Group(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """The scopes of one resource."""

    resource: msgspec.Raw = _EMPTY
    scope_logs: list[Block] = []
    scope_metrics: list[Block] = []
    scope_spans: list[Block] = []


class Request(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """A message of any signal; None for a signal that its keys do not name."""

    resource_logs: list[Group] | None = None
    resource_metrics: list[Group] | None = None
    resource_spans: list[Group] | None = None

    def blocks(self) -> list[tuple[Signal, msgspec.Raw, Block]]:
        """Return the items by signal, resource and scope."""
        return [
            *((Signal.LOGS, g.resource, b) for g in self.resource_logs or () for b in g.scope_logs),
            *(
                (Signal.METRICS, g.resource, b)
                for g in self.resource_metrics or ()
                for b in g.scope_metrics
            ),
            *(
                (Signal.TRACES, g.resource, b)
                for g in self.resource_spans or ()
                for b in g.scope_spans
            ),
        ]


_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode


def decode(body: bytes) -> Request:
    """Decode a message in either encoding. Raises DecodeError for what is no OTLP."""
    if body[:1] != b"{":
        signal = protobuf_signal(body)
        if signal is None:
            raise DecodeError("", "neither OTLP/JSON nor OTLP's protobuf")
        return _decode(
            encode(decode_request(signal, Encoding.PROTOBUF, body).message, Encoding.JSON)
        )
    try:
        body.decode()  # msgspec does not look into what it skips
        request = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        request = strictly(body)
    if request.resource_logs is request.resource_metrics is request.resource_spans:
        raise DecodeError("", "no resourceLogs, resourceMetrics or resourceSpans in it")
    return request


def strictly(body: bytes) -> Request:
    """Decode OTLP/JSON by all its rules, into the canonical form. Raises DecodeError."""
    whole = Request()
    for signal, field in _FIELDS.items():
        message = decode_request(signal, Encoding.JSON, body).message
        if message.ListFields():
            setattr(whole, field, getattr(_decode(encode(message, Encoding.JSON)), field))
    return whole


_FIELDS = {
    Signal.LOGS: "resource_logs",
    Signal.METRICS: "resource_metrics",
    Signal.TRACES: "resource_spans",
}
_INNER = {
    Signal.LOGS: "scope_logs",
    Signal.METRICS: "scope_metrics",
    Signal.TRACES: "scope_spans",
}


def alone(signal: Signal, resource: msgspec.Raw, block: Block) -> bytes:
    """Return a message that holds nothing but what ``block`` holds."""
    group = Group(resource=resource)
    setattr(group, _INNER[signal], [block])
    request = Request()
    setattr(request, _FIELDS[signal], [group])
    return _encode(request)
