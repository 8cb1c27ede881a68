"""Tell what the head of an HTTP request asks of a server, and what it is if it is none."""

from __future__ import annotations

from collections.abc import Iterable

#: Headers by which a client offers to go on in another protocol.
_OFFERING = frozenset({b"connection", b"upgrade", b"http2-settings"})

HTTP2 = "HTTP/2, which gRPC is spoken over"

#: What is spoken by a client whose first bytes are these, if it is not HTTP/1.1.
_SPOKEN = {
    b"PRI * HTTP/2.0": HTTP2,
    b"\x16\x03": "TLS, to a port without it",
}


def closes(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Say whether the client wants the connection to end with the request of these headers."""
    options = [value.lower() for name, value in headers if name == b"connection"]
    return b"close" in {each.strip() for each in b",".join(options).split(b",")}


def no_request(error: Exception, data: bytes) -> str:
    """Say what came instead of a request: what is spoken, where the first bytes show it."""
    for beginning, spoken in _SPOKEN.items():
        if data.startswith(beginning):
            return f"{spoken}: expected HTTP/1.1"
    return f"no HTTP request: {error}"


def without_offer(
    method: bytes, url: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Return the head of a request, which offers to go on in another protocol, without that."""
    headers = tuple(headers)
    kept = [(name, value) for name, value in headers if name not in _OFFERING]
    options = b"close" if closes(headers) else b"keep-alive"
    lines = [b"%s: %s" % pair for pair in (*kept, (b"connection", options))]
    return b"\r\n".join([b"%s %s HTTP/%s" % (method, url, version.encode()), *lines, b"", b""])
