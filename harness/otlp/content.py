"""Undo the content encodings of HTTP bodies, up to a limit of the decompressed size.

OTLP asks for identity and gzip; deflate (the zlib format of RFC 9110) is read too, and zstd (RFC
8878), which the Collector's exporters offer, with the extra ``zstd``.
"""

from __future__ import annotations

import zlib

from . import zstd
from .errors import DecodeError, TooLarge, UnsupportedEncoding

#: The largest request that the OTLP specification (1.11) recommends to accept.
DEFAULT_LIMIT = 64 * 1024 * 1024

#: How many times its size a body may grow, and what it may grow to in any case.  Telemetry that
#: repeats itself is compressed a hundredfold at most; gzip's best is a thousandfold, and zstd's
#: thirty times that.
MOST_EXPANSION = 200
_HARMLESS_BYTES = 4 * 1024 * 1024

_WBITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def content_decode(body: bytes, encoding: str, limit: int = DEFAULT_LIMIT) -> bytes:
    """Undo the codings that a Content-Encoding header names, last one first.

    ``encoding`` is the header's value, in any case; empty means identity. ``limit`` is the most
    bytes of the result: decompression stops there, and where more than 4 MiB are 200 times as
    much as came in.
    """
    codings = [coding.strip().lower() for coding in encoding.split(",")]
    for coding in reversed(codings):
        if coding in ("", "identity"):
            continue
        if coding == "zstd" and not zstd.is_installed():
            why = "is read with the extra 'zstd' (pip install 'pytest-cc-otel[zstd]')"
            raise UnsupportedEncoding("", f"content encoding 'zstd' {why}")
        if coding == "zstd":
            body = _unpack(body, limit)
        elif coding in _WBITS:
            body = _inflate(body, coding, limit)
        else:
            raise UnsupportedEncoding("", f"unsupported content encoding {coding!r}")
    if len(body) > limit:
        raise TooLarge("", f"body of {len(body)} bytes is over the limit of {limit} bytes")
    return body


def _room(body: bytes, limit: int) -> int:
    return min(limit, max(_HARMLESS_BYTES, MOST_EXPANSION * len(body)))


def _grown(coding: str, room: int, limit: int) -> TooLarge:
    why = f"the limit of {limit} bytes" if room == limit else f"{MOST_EXPANSION} times"
    return TooLarge("", f"{coding} body grows over {why}")


def _unpack(body: bytes, limit: int) -> bytes:
    room = _room(body, limit)
    content = zstd.decompress(body, room)
    if content is None:
        raise _grown("zstd", room, limit)
    return content


def _inflate(body: bytes, coding: str, limit: int) -> bytes:
    parts: list[bytes] = []
    most = room = _room(body, limit)
    rest = body
    while True:
        stream = zlib.decompressobj(_WBITS[coding])
        try:
            # One byte more than fits tells "exactly full" from "too much".
            part = stream.decompress(rest, room + 1)
        except zlib.error as error:
            raise DecodeError("", f"body is not valid {coding}: {error}") from None
        if len(part) > room:
            raise _grown(coding, most, limit)
        if not stream.eof:
            raise DecodeError("", f"{coding} body is cut off")
        parts.append(part)
        room -= len(part)
        rest = stream.unused_data
        if not rest:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        # RFC 1952: a gzip body may have several members.
        if coding == "deflate":
            raise DecodeError("", f"{len(rest)} bytes follow the deflate stream")
