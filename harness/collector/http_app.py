"""OTLP/HTTP as an ASGI application: check the request, store it raw and answer it.

Rules: OTLP specification, "OTLP/HTTP" (paths, encodings, response bodies, bad data).
Where it names no status, HTTP's own is used: 404, 405 with Allow, 415, 413.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.capture.export import Export
from harness.clock import time_ns
from harness.collector.answer import Asking, CollectorResponse, encoded
from harness.collector.draining import drain
from harness.collector.store import Store
from harness.collector.tls import http_client
from harness.http_heads import HTTP2
from harness.otlp.content import content_decode
from harness.otlp.envelope import Check, check_request
from harness.otlp.errors import DecodeError, TooLarge, UnsupportedEncoding
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal
from harness.otlp.responses import error_body, success_body
from harness.serving import MALFORMED, TLS

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        HTTPResponseBodyEvent,
        HTTPResponseStartEvent,
        HTTPScope,
    )

    _Response = tuple[HTTPResponseStartEvent, HTTPResponseBodyEvent]

#: ``Export.status`` of a request that nobody was left to answer.
NOT_ANSWERED = 0

#: The statuses of a request that is over a limit of ours: its body, its head, or all bodies that
#: are being received. We give them for nothing else.
_TOO_LARGE, _HEAD_TOO_LARGE, _TOO_MUCH_AT_ONCE = 413, 431, 503
_OVER_LIMITS = frozenset({_TOO_LARGE, _HEAD_TOO_LARGE, _TOO_MUCH_AT_ONCE})

#: The most bytes held of all bodies that are being received: two of the largest.
MOST_UNFINISHED_BYTES = 128 * 1024 * 1024

_SIGNALS = {f"/v1/{signal.value}".encode(): signal for signal in Signal}
_PATHS = ", ".join(path.decode() for path in _SIGNALS)
_ENCODINGS = {encoding.value: encoding for encoding in Encoding}
_PROTOCOLS = {Encoding.PROTOBUF: Protocol.HTTP_PROTOBUF, Encoding.JSON: Protocol.HTTP_JSON}

#: Patterns of further paths (as of a shell, first match wins) with what comes there.
Paths = tuple[tuple[str, Signal], ...]

#: HTTP status -> gRPC code for the ``google.rpc.Status`` body; others are UNKNOWN (2).
_RPC_CODES = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    405: 12,
    413: 8,
    415: 3,
    429: 8,
    431: 8,
    500: 13,
    503: 14,
}


@dataclass(frozen=True, slots=True)
class _Route:
    """What the request line and the headers alone determine about the response.

    ``status`` is 200, or the error status of a refusal, and ``reason`` says why.
    ``success`` is the ready response for a request that is accepted.
    """

    method: str
    target: str
    signal: Signal | None
    encoding: Encoding | None
    protocol: Protocol | None
    content_encoding: str
    status: int
    reason: str
    success: _Response


@lru_cache(maxsize=256)  # a subject uses a handful; the bound is for one that does not
def _route(
    further: Paths,
    method: str,
    path: bytes,
    query: bytes,
    content_type: bytes,
    content_encoding: bytes,
) -> _Route:
    signal = _SIGNALS.get(path) or _signal_at(further, path.decode("latin-1"))
    media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
    encoding = _ENCODINGS.get(media_type)
    status, reason = 200, ""
    if signal is None:
        status, reason = 404, f"no such path: expected one of {_PATHS}"
    elif method != "POST":
        status, reason = 405, f"method {method}: expected POST"
    elif encoding is None:
        status = 415
        reason = f"media type {media_type!r}: expected one of {', '.join(_ENCODINGS)}"
    return _Route(
        method=method,
        target=(path + b"?" + query if query else path).decode("latin-1"),
        signal=signal,
        encoding=encoding,
        protocol=None if encoding is None else _PROTOCOLS[encoding],
        content_encoding=content_encoding.decode("latin-1"),
        status=status,
        reason=reason,
        success=_message(
            200,
            (),
            encoding or Encoding.JSON,
            success_body(signal, encoding) if signal and encoding else b"",
        ),
    )


def _signal_at(further: Paths, path: str) -> Signal | None:
    return next((signal for pattern, signal in further if fnmatchcase(path, pattern)), None)


@lru_cache(maxsize=1024)  # nearly all pairs repeat: decoded once, and held once in memory
def _text(pair: tuple[bytes, bytes]) -> tuple[str, str]:
    return pair[0].decode("latin-1"), pair[1].decode("latin-1")


@lru_cache(maxsize=1024)
def _peer(client: tuple[str, int] | None) -> str:
    if client is None:
        return ""
    host, port = client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpApp:
    """The ASGI application of the OTLP/HTTP server; calling it handles one request.

    ``paths`` are accepted besides the standard ones: pattern -> the signal sent to such a path.
    ``responder_waits``: each call of the responder has a thread of its own. ``check`` raises
    DecodeError for a body that is to be refused. ``grpc_port`` tells where gRPC is taken, for who
    speaks it here.
    """

    def __init__(
        self,
        store: Store,
        max_body_bytes: int,
        asking: Asking | None,
        paths: Mapping[str, Signal] | None = None,
        responder_waits: bool = False,
        check: Check = check_request,
        grpc_port: Callable[[], int] = int,
    ) -> None:
        self._grpc_port = grpc_port
        self._store = store
        self._check_request = check
        self._max_body_bytes = max_body_bytes
        self._asking = asking
        self._responder_waits = responder_waits
        self._paths: Paths = tuple((paths or {}).items())
        #: How many bytes are held of bodies that come in parts.
        self._unfinished = 0

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if self._asking is not None:  # it may be late on purpose
            await self._answer(scope, receive, send)
            return
        with self._store.waits.clocked():
            await self._answer(scope, receive, send)

    async def _answer(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        content_type = content_encoding = b""
        length = 0
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value
            elif name == b"content-encoding":
                content_encoding = content_encoding + b"," + value if content_encoding else value
            elif name == b"content-length":
                length = int(value)  # the parser has refused anything but digits
        route = _route(
            self._paths,
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            content_type,
            content_encoding,
        )
        status, reason = route.status, route.reason
        if length > self._max_body_bytes:
            # Not read here: uvicorn throws the body away as it comes, so that the client
            # can send it to its end and then read the answer.
            body = b""
            status, reason = _TOO_LARGE, self._too_large
            await drain(scope, receive)
        else:
            message = await receive()
            if message["type"] == "http.request" and not message["more_body"]:
                body = message["body"]
            else:
                body, fault = await self._read_on(scope, message, receive)
                if fault is not None and fault[0] in _OVER_LIMITS:
                    await drain(scope, receive)
                status, reason = fault or (status, reason)
        if not reason:
            status, reason = self._check(route, body)
        export = self._export(scope, route, body, status, reason)
        answer = None
        if not reason and self._asking is not None:
            if self._responder_waits:
                export, answer = await asyncio.to_thread(self._asking.ask, export)
            else:
                export, answer = self._asking.ask(export)
        # Stored before it is answered: a client that has its answer finds its export here.
        self._store.append(export)
        if answer is not None and answer.hold_s:
            given_up_unix_nano = await _hold(receive, answer.hold_s)
            if given_up_unix_nano:
                self._store.give_up(export, given_up_unix_nano)
        if answer is not None:
            start, end = _scripted(route, answer)
        elif reason:
            start, end = _refusal(route.encoding, status, reason)
        else:
            start, end = route.success
        # uvicorn drops both when the client is gone.
        await send(start)
        await send(end)

    def malformed(
        self, scope: HTTPScope, status: int, reason: str, *, handled: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Store a malformed request, and return the headers and the body of the answer to it.

        See :class:`harness.serving.Malformed`.
        """
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"")
        route = _route(self._paths, scope["method"], scope["raw_path"], b"", content_type, b"")
        if reason.startswith(HTTP2):
            reason += f"; gRPC is taken at port {self._grpc_port()}"
        if not handled:
            self._store.append(self._export(scope, route, b"", status, reason))
        start, end = _refusal(route.encoding, status, reason)
        return list(start["headers"]), end["body"]

    @property
    def _too_large(self) -> str:
        return f"body larger than {self._max_body_bytes} bytes"

    async def _read_on(
        self, scope: HTTPScope, message: ASGIReceiveEvent, receive: ASGIReceiveCallable
    ) -> tuple[bytes, tuple[int, str] | None]:
        """Read the rest of a body that begins with ``message``.

        Return it, and the status and reason if that failed.
        """
        parts: list[bytes] = []
        size = 0
        try:
            while message["type"] == "http.request":
                parts.append(message["body"])
                size += len(message["body"])
                self._unfinished += len(message["body"])
                if size > self._max_body_bytes:
                    return b"", (_TOO_LARGE, self._too_large)
                if self._unfinished > MOST_UNFINISHED_BYTES:
                    return b"", (
                        _TOO_MUCH_AT_ONCE,
                        f"more than {MOST_UNFINISHED_BYTES} bytes of unfinished bodies",
                    )
                if not message["more_body"]:
                    return b"".join(parts), None
                message = await receive()
        finally:
            self._unfinished -= size
        if malformed := scope["state"].get(MALFORMED):
            return b"".join(parts), (400, malformed)
        return b"".join(parts), (NOT_ANSWERED, "the connection ended inside the body")

    def _check(self, route: _Route, body: bytes) -> tuple[int, str]:
        """Check the body of a complete request to a known path; return the status and the fault."""
        assert route.signal is not None
        assert route.encoding is not None
        try:
            if route.content_encoding:
                body = content_decode(body, route.content_encoding, self._max_body_bytes)
            self._check_request(route.signal, route.encoding, body)
        except UnsupportedEncoding as error:
            return 415, str(error)
        except TooLarge as error:
            return _TOO_LARGE, str(error)
        except DecodeError as error:
            return 400, str(error)
        return 200, ""

    def _export(
        self, scope: HTTPScope, route: _Route, body: bytes, status: int, reason: str
    ) -> Export:
        # By position: names would cost as much again, on every request.
        export = Export(
            0,
            route.protocol,
            route.signal,
            route.method,
            route.target,
            scope["http_version"],
            tuple(map(_text, scope["headers"])),
            body,
            time_ns(),
            _peer(scope["client"]),
            status,
            reason,
            over_limit=status in _OVER_LIMITS,
        )
        if scope["scheme"] == "https":
            return replace(export, peer_certificate=http_client(scope["state"][TLS]))
        return export


def _message(
    status: int, headers: tuple[tuple[bytes, bytes], ...], encoding: Encoding, body: bytes
) -> _Response:
    typed = any(name == b"content-type" for name, _ in headers)
    return (
        {
            "type": "http.response.start",
            "status": status,
            "headers": (
                *headers,
                *(() if typed else ((b"content-type", encoding.value.encode()),)),
                (b"content-length", str(len(body)).encode()),
            ),
        },
        {"type": "http.response.body", "body": body, "more_body": False},
    )


def _refusal(encoding: Encoding | None, status: int, reason: str) -> _Response:
    """Make an error response in the encoding of the request (JSON if that is not one of OTLP's)."""
    encoding = encoding or Encoding.JSON
    allow = ((b"allow", b"POST"),) if status == 405 else ()
    body = error_body(encoding, _RPC_CODES.get(status, 2), reason)
    return _message(status, allow, encoding, body)


async def _hold(receive: ASGIReceiveCallable, seconds: float) -> int:
    """Wait for ``seconds``, or until the client disconnects; return the time of that, or 0."""
    with contextlib.suppress(TimeoutError):
        # All of the body was received: what comes next is the end of the connection.
        await asyncio.wait_for(receive(), seconds)
        return time_ns()
    return 0


def _scripted(route: _Route, answer: CollectorResponse) -> _Response:
    assert route.signal is not None
    assert route.encoding is not None
    status = answer.http_status
    if answer.body is not None:
        body = answer.body
    elif status >= 400:
        body = error_body(route.encoding, _RPC_CODES.get(status, 2), answer.message)
    else:
        body = success_body(route.signal, route.encoding)
    return _message(status, encoded(answer.headers), route.encoding, body)
