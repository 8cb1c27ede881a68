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
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from ..capture.export import Export
from ..clock import monotonic_s, time_ns
from ..http_heads import HTTP2
from ..otlp.content import content_decode
from ..otlp.envelope import Check, check_request
from ..otlp.errors import DecodeError, TooLarge, UnsupportedEncoding
from ..otlp.messages import Encoding
from ..otlp.model import Protocol, Signal
from ..otlp.responses import success_body
from ..serving.application import MALFORMED, TLS
from .answer import Asking
from .draining import drain
from .http_answers import in_bytes, refusal, response, scripted
from .store import Store
from .tls import http_client

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        HTTPScope,
    )

    from ..serving.application import AnswerAtOnce
    from .http_answers import Response

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

#: What is known of a request before its body: version, headers, client, and its certificate.
_Facts = tuple[str, tuple[tuple[str, str], ...], str, str]

#: Patterns of further paths (as of a shell, first match wins) with what comes there.
Paths = tuple[tuple[str, Signal], ...]


@dataclass(frozen=True, slots=True)
class _Route:
    """What the request line and the headers alone determine about the response.

    ``status`` is 200, or the error status of a refusal, and ``reason`` says why.
    ``success`` is the ready response for a request that is accepted, and ``success_bytes`` the
    same as it is sent.
    """

    method: str
    target: str
    signal: Signal | None
    encoding: Encoding | None
    protocol: Protocol | None
    content_encoding: str
    status: int
    reason: str
    success: Response
    success_bytes: bytes


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
    success = response(
        200,
        (),
        encoding or Encoding.JSON,
        success_body(signal, encoding) if signal and encoding else b"",
    )
    return _Route(
        method=method,
        target=(path + b"?" + query if query else path).decode("latin-1"),
        signal=signal,
        encoding=encoding,
        protocol=None if encoding is None else _PROTOCOLS[encoding],
        content_encoding=content_encoding.decode("latin-1"),
        status=status,
        reason=reason,
        success=success,
        success_bytes=in_bytes(success),
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
    DecodeError for a body that is to be refused.
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
        route, length = self._head(scope)
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
        export = _export(_facts(scope), route, body, status, reason)
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
            assert route.signal is not None
            assert route.encoding is not None
            start, end = scripted(route.signal, route.encoding, answer)
        elif reason:
            start, end = refusal(route.encoding, status, reason)
        else:
            start, end = route.success
        # uvicorn drops both when the client is gone.
        await send(start)
        await send(end)

    def at_once(self, scope: HTTPScope) -> AnswerAtOnce | None:
        """Return what answers requests with this head that arrive whole.

        None where that may take long. See :class:`harness.serving.application.AtOnce`.
        """
        if self._asking is not None:
            return None
        return partial(self._answer_at_once, self._head(scope)[0], _facts(scope))

    def _answer_at_once(self, route: _Route, facts: _Facts, body: bytes) -> bytes | None:
        if len(body) > self._max_body_bytes:
            return None
        began = monotonic_s()
        status, reason = route.status, route.reason
        if not reason:
            status, reason = self._check(route, body)
        self._store.append(_export(facts, route, body, status, reason))
        self._store.waits.took(monotonic_s() - began)
        return in_bytes(refusal(route.encoding, status, reason)) if reason else route.success_bytes

    def _head(self, scope: HTTPScope) -> tuple[_Route, int]:
        """Return what the head of a request determines, and the length that it names, or 0."""
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
        return route, length

    def malformed(
        self, scope: HTTPScope, status: int, reason: str, *, handled: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Store a malformed request, and return the headers and the body of the answer to it.

        See :class:`harness.serving.application.Malformed`.
        """
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"")
        route = _route(self._paths, scope["method"], scope["raw_path"], b"", content_type, b"")
        if reason.startswith(HTTP2):
            reason += f"; gRPC is taken at port {self._grpc_port()}"
        if not handled:
            self._store.append(_export(_facts(scope), route, b"", status, reason))
        start, end = refusal(route.encoding, status, reason)
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


def _facts(scope: HTTPScope) -> _Facts:
    return (
        scope["http_version"],
        tuple(map(_text, scope["headers"])),
        _peer(scope["client"]),
        http_client(scope["state"][TLS]) if scope["scheme"] == "https" else "",
    )


def _export(facts: _Facts, route: _Route, body: bytes, status: int, reason: str) -> Export:
    http_version, headers, peer, certificate = facts
    # By position: names would cost as much again, on every request.
    export = Export(
        0,
        route.protocol,
        route.signal,
        route.method,
        route.target,
        http_version,
        headers,
        body,
        time_ns(),
        peer,
        status,
        reason,
        over_limit=status in _OVER_LIMITS,
    )
    return replace(export, peer_certificate=certificate) if certificate else export


async def _hold(receive: ASGIReceiveCallable, seconds: float) -> int:
    """Wait for ``seconds``, or until the client disconnects; return the time of that, or 0."""
    with contextlib.suppress(TimeoutError):
        # All of the body was received: what comes next is the end of the connection.
        await asyncio.wait_for(receive(), seconds)
        return time_ns()
    return 0
