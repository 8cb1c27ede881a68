"""The probes: every request that tells something of how a collector receives.

Each has a name, the protocols over which it is sent, and what makes its requests; which answer is
right stands in ``schemas/collector/receiving*.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from ...otlp.messages import ENCODINGS
from ...otlp.model import Protocol, Signal
from . import bodies
from .telemetry import ARRAYS, Draft

HTTP = (Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON)
JSON = (Protocol.HTTP_JSON,)
PROTOBUF = (Protocol.HTTP_PROTOBUF,)
BINARY = (Protocol.HTTP_PROTOBUF, Protocol.GRPC)
GRPC = (Protocol.GRPC,)
ALL = tuple(Protocol)

#: Signals in the order of preference; the first that the collector is for carries a probe.
ANY_SIGNAL = (Signal.LOGS, Signal.METRICS, Signal.TRACES)
WITH_IDS = (Signal.LOGS, Signal.TRACES)
#: Those with items that break a rule by themselves.
WITH_RULES = (Signal.METRICS, Signal.TRACES)

#: The plainest requests, one for each signal. They tell which signals the collector takes at all,
#: and all others of a signal are compared with its plainest.
PLAIN = {f"path_{signal}": signal for signal in ANY_SIGNAL}


class Group(StrEnum):
    """What is to be learnt of a probe's answer."""

    VALID = "valid"
    """A request as OTLP allows it."""
    OPTIONAL = "optional"
    """A request that a server may take or refuse."""
    EMPTY = "empty"
    """A request without telemetry."""
    MALFORMED = "malformed"
    """A body that cannot be decoded."""
    UNSUPPORTED = "unsupported"
    """A path, method, media type or encoding that is none of OTLP's."""
    LARGE = "large"
    """A request over the limits of some servers."""
    UNAUTHENTICATED = "unauthenticated"
    """A request without the credentials that the collector was said to want."""


class Manner(StrEnum):
    """How the requests of a probe are sent."""

    ALONE = "alone"
    """Over a connection of its own, for an error may end it."""
    KEPT_ALIVE = "kept_alive"
    """One after the other over one connection."""
    TOGETHER = "together"
    """Each over a connection of its own, all at once."""
    SLOWLY = "slowly"
    HALF_CLOSED = "half_closed"
    PIPELINED = "pipelined"


@dataclass(frozen=True, slots=True)
class Sending:
    """One request. ``path`` is a method over gRPC; None: that of the signal.

    ``content_type`` None: that of the protocol, empty: none. ``compressed`` is for gRPC, which
    compresses by itself. ``anonymous`` leaves the endpoint's headers out, ``impostor`` sends other
    values of its credentials.
    """

    body: bytes | None
    path: str | None = None
    method: str = "POST"
    content_type: str | None = None
    content_encoding: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    chunk_bytes: int = 0
    compressed: bool = False
    anonymous: bool = False
    impostor: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What is sent to learn one thing.

    ``make`` makes each of its ``requests``. The first of ``signals`` that the collector is for
    carries it. ``marked``: its item is to come out if the request is accepted. ``ends``: it is sent
    when all others have ended, because it may harm the collector or see the harm. ``odd``: beside
    its item there is an odd one. ``certified``: the endpoint's client certificate is shown.
    """

    name: str
    group: Group
    protocols: tuple[Protocol, ...]
    make: Callable[[Draft], Sending]
    signals: tuple[Signal, ...] = ANY_SIGNAL
    requests: int = 1
    manner: Manner = Manner.ALONE
    marked: bool = True
    ends: bool = False
    odd: bool = False
    certified: bool = True


Body = Callable[[Draft], bytes]


def _send(body: Body = Draft.body, *, made: Sending = Sending(b"")) -> Callable[[Draft], Sending]:
    """Return what sends this body with the other facts of ``made``."""
    return lambda draft: replace(made, body=body(draft))


def _gzip(body: Body = Draft.body, **facts: int) -> Callable[[Draft], Sending]:
    """Return what sends the body compressed; over gRPC, grpcio compresses it."""

    def make(draft: Draft) -> Sending:
        if draft.protocol is Protocol.GRPC:
            return Sending(body(draft), compressed=True)
        made = Sending(bodies.gzipped(body(draft)), content_encoding="gzip")
        return replace(made, **facts)  # type: ignore[arg-type]

    return make


def _typed(suffix: str) -> Callable[[Draft], Sending]:
    return lambda draft: Sending(
        draft.body(), content_type=ENCODINGS[draft.protocol].value + suffix
    )


def _other_encoding_in_turn(draft: Draft) -> Sending:
    """Send the same item in the encoding that is not the protocol's."""
    other = Protocol.HTTP_PROTOBUF if draft.as_json else Protocol.HTTP_JSON
    return Sending(replace(draft, protocol=other).body(), content_type=ENCODINGS[other].value)


def _method(name: str, *, with_body: bool) -> Callable[[Draft], Sending]:
    return lambda draft: Sending(draft.body() if with_body else None, method=name)


_ERA = (
    ("User-Agent", "OTel-OTLP-Exporter-JavaScript/0.208.0"),
    ("Connection", "keep-alive"),
    ("Accept", "*/*"),
)


_READS_GZIP = (("Accept-Encoding", "gzip"),)


def _as_the_cli(draft: Draft, *, chunk_bytes: int) -> Sending:
    """Send as Claude Code does over HTTP, in one of its framings."""
    body = bodies.javascript(draft) if draft.as_json else draft.body()
    return Sending(body, headers=_ERA, chunk_bytes=chunk_bytes)


def _valid(
    name: str, make: Callable[[Draft], Sending], *protocols: Protocol, **facts: object
) -> Probe:
    return Probe(name, Group.VALID, protocols or ALL, make, **facts)  # type: ignore[arg-type]


_VALID = (
    *(_valid(name, _send(), signals=(signal,)) for name, signal in PLAIN.items()),
    _valid("gzip", _gzip()),
    *(
        _valid(f"unknown_in_{level}", _send(bodies.unknown_in(level)))
        for level in ("request", "resource", "scope", "item", "value")
    ),
    _valid("empty_value", _send(bodies.empty_value)),
    _valid("ids_of_wrong_length", _send(bodies.ids_of_wrong_length), signals=WITH_IDS),
    _valid("together", _send(), requests=100, manner=Manner.TOGETHER),
    _valid("charset", _typed("; charset=utf-8"), *HTTP),
    _valid("chunked", _send(made=Sending(b"", chunk_bytes=97)), *HTTP),
    _valid("chunked_gzip", _gzip(chunk_bytes=61), *HTTP),
    _valid("cli_chunked", partial(_as_the_cli, chunk_bytes=16384), *HTTP),
    _valid("cli_content_length", partial(_as_the_cli, chunk_bytes=0), *HTTP),
    _valid("accept_gzip", _send(made=Sending(b"", headers=_READS_GZIP)), *HTTP),
    _valid("kept_alive", _send(), *HTTP, requests=3, manner=Manner.KEPT_ALIVE),
    _valid("pipelined", _send(), *HTTP, requests=3, manner=Manner.PIPELINED),
    _valid("slow", _send(), *HTTP, manner=Manner.SLOWLY),
    _valid("half_closed", _send(), *HTTP, manner=Manner.HALF_CLOSED),
    _valid("other_encoding_beside", _other_encoding_in_turn, *HTTP),
    _valid("integers_as_strings", _send(), *JSON),
    _valid("integers_as_numbers", _send(bodies.integers_as_numbers), *JSON),
    _valid("ids_in_lower_case", _send(bodies.ids(str.lower)), *JSON, signals=WITH_IDS),
    _valid("ids_in_upper_case", _send(bodies.ids(str.upper)), *JSON, signals=WITH_IDS),
    _valid("nulls", _send(bodies.nulls), *JSON),
    _valid("javascript", _send(bodies.javascript), *JSON),
    _valid("python", _send(bodies.python), *JSON),
    _valid("afterwards", _send(), ends=True),
)

_OPTIONAL = (
    Probe("mixed", Group.OPTIONAL, ALL, _send(bodies.mixed), signals=WITH_RULES, odd=True),
    Probe("invalid_utf8", Group.OPTIONAL, ALL, _send(bodies.invalid_utf8)),
    Probe(
        "deflate",
        Group.OPTIONAL,
        HTTP,
        _send(bodies.deflated, made=Sending(b"", content_encoding="deflate")),
    ),
    Probe(
        "zstd",
        Group.OPTIONAL,
        HTTP,
        _send(bodies.zstandard, made=Sending(b"", content_encoding="zstd")),
    ),
)


def _empty(name: str, body: Body, *protocols: Protocol) -> Probe:
    return Probe(name, Group.EMPTY, protocols, _send(body), marked=False)


_EMPTY = (
    _empty("empty_body", lambda _: b"", *BINARY),
    _empty("empty_object", lambda _: b"{}", *JSON),
    _empty("empty_list", lambda draft: draft.json({ARRAYS[draft.signal][0]: []}), *JSON),
    _empty("empty_envelope", bodies.empty_envelope, *ALL),
)


def _malformed(name: str, body: Body, *protocols: Protocol, content_encoding: str = "") -> Probe:
    made = Sending(b"", content_encoding=content_encoding)
    return Probe(name, Group.MALFORMED, protocols, _send(body, made=made))


_MALFORMED = (
    _malformed("truncated", bodies.truncated, *ALL),
    _malformed("garbage", bodies.garbage, *ALL),
    _malformed("bit_flipped", bodies.bit_flipped, *BINARY),
    _malformed("bit_flipped_inside", bodies.bit_flipped_inside, *BINARY),
    _malformed("other_encoding", bodies.other_encoding, *HTTP),
    _malformed("no_object", bodies.no_object, *JSON),
    _malformed("wrong_type", bodies.wrong_type, *JSON),
    _malformed("wrong_type_inside", bodies.wrong_type_inside, *JSON),
    _malformed("no_gzip", Draft.body, *HTTP, content_encoding="gzip"),
    _malformed("truncated_gzip", bodies.truncated_gzip, *HTTP, content_encoding="gzip"),
)


def _unsupported(name: str, make: Callable[[Draft], Sending], *protocols: Protocol) -> Probe:
    return Probe(name, Group.UNSUPPORTED, protocols, make)


_UNSUPPORTED = (
    _unsupported("media_type", _send(made=Sending(b"", content_type="text/plain")), *HTTP),
    _unsupported("no_media_type", _send(made=Sending(b"", content_type="")), *HTTP),
    _unsupported(
        "content_encoding", _send(made=Sending(b"", content_encoding="x-unheard-of")), *HTTP
    ),
    _unsupported("method_put", _method("PUT", with_body=True), *HTTP),
    replace(_unsupported("method_get", _method("GET", with_body=False), *HTTP), marked=False),
    _unsupported("unknown_path", _send(made=Sending(b"", path="/v1/unheard-of")), *HTTP),
    _unsupported(
        "unknown_method",
        _send(
            made=Sending(b"", path="/opentelemetry.proto.collector.logs.v1.LogsService/UnheardOf")
        ),
        *GRPC,
    ),
    _unsupported("unknown_service", _send(made=Sending(b"", path="/unheard.Of/Export")), *GRPC),
)


def _large(name: str, make: Callable[[Draft], Sending], *, marked: bool = True) -> Probe:
    return Probe(name, Group.LARGE, ALL, make, marked=marked, ends=True)


def _bomb(draft: Draft) -> Sending:
    if draft.protocol is Protocol.GRPC:
        return Sending(bodies.unpacked_bomb(draft), compressed=True)
    return Sending(bodies.bomb(draft), content_encoding="gzip")


_LARGE = (
    _large("large", _send(bodies.large)),
    _large("large_gzip", _gzip(bodies.large)),
    _large("bomb", _bomb, marked=False),
)

_UNAUTHENTICATED = (
    Probe(
        "anonymous",
        Group.UNAUTHENTICATED,
        ALL,
        _send(made=Sending(b"", anonymous=True)),
    ),
    Probe(
        "impostor",
        Group.UNAUTHENTICATED,
        ALL,
        _send(made=Sending(b"", impostor=True)),
    ),
    Probe("uncertified", Group.UNAUTHENTICATED, ALL, _send(), certified=False),
)

#: All of them in the order in which they are sent; those that end come at the end.
PROBES = tuple(
    sorted(
        (*_VALID, *_OPTIONAL, *_EMPTY, *_MALFORMED, *_UNSUPPORTED, *_LARGE, *_UNAUTHENTICATED),
        key=lambda probe: (probe.ends, probe.name == "afterwards"),
    )
)
