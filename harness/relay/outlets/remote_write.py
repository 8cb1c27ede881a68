"""Receive what a collector under test writes to a remote Prometheus."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import cramjam

from ...capture.export import Export
from ...clock import time_ns
from ...collector.answer import Asking, CollectorResponse, Responder, encoded
from ...collector.store import DEFAULT_LIMIT
from ...collector.tls import Tls
from ...exposition import WRITE, ExpositionError, exposed
from ...exposition.remote_write import samples
from ...exposition.series import Sample, export
from ...otlp.content import DEFAULT_LIMIT as DEFAULT_MAX_BODY_BYTES
from ...serving.server import HttpServer
from .base import Stored

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

PATH = "/api/v1/write"
_GRACE_S = 1.0

#: The message of each version, as the content type names it; version 1 need not name it.
_VERSIONS = {"prometheus.WriteRequest": 1, "io.prometheus.write.v2.Request": 2}


class RemoteWriteOutlet(Stored):
    """A remote-write receiver, versions 1 and 2: each request is an export.

    Placeholder: ``write`` (``http://host:port/api/v1/write``, or https with ``tls``). ``responder``
    may answer otherwise than with success. What is no remote-write request is refused (400, 404,
    405, 415), and kept with the reason in ``rejected``; without ``version_2`` so is version 2, by
    which a sender that knows version 1 goes back to that.
    """

    name = WRITE

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        responder: Responder | None = None,
        version_2: bool = True,
        tls: Tls | None = None,
        limit_bytes: int = DEFAULT_LIMIT,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        super().__init__(limit_bytes)
        self._asking = None if responder is None else Asking(responder)
        self._version_2 = version_2
        self._max_body_bytes = max_body_bytes
        self._kinds: dict[str, Sample] = {}
        self._host, self._port, self._tls = host, port, tls
        self._url = ""
        self._server: HttpServer | None = None
        self._stopped = False

    def start(self) -> Self:
        """Accept requests."""
        # Not before: outlets are also made to be counted.
        listener = socket.create_server((self._host, self._port), backlog=128)
        scheme = "http" if self._tls is None else "https"
        self._url = f"{scheme}://{self._host}:{listener.getsockname()[1]}{PATH}"
        context = None if self._tls is None else self._tls.context()
        self._server = HttpServer(self._app, listener, tls=context)
        self._server.start()
        return self

    def stop(self) -> None:
        """Let requests that have begun finish, and close the port."""
        if self._stopped:
            return
        self._stopped = True
        if self._server is not None:
            self._server.stop(_GRACE_S)
        self._store.close()
        if self._asking is not None:
            self._asking.check()

    def placeholders(self) -> Mapping[str, str]:
        """Return ``write``."""
        return {"write": self._url}

    async def _app(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the sender hung up inside its body, and sends it again
            body += message["body"]
            more = message["more_body"]
            if len(body) > self._max_body_bytes:
                more = False
        export, answer = self._export(scope, body)
        self._store.append(export)
        text = answer.message.encode()
        await send(
            {
                "type": "http.response.start",
                "status": answer.http_status,
                "headers": [
                    *encoded(answer.headers),
                    (b"content-type", b"text/plain; charset=utf-8"),
                    *([(b"content-length", b"%d" % len(text))] if text else []),
                ],
            }
        )
        await send({"type": "http.response.body", "body": text, "more_body": False})

    def _export(self, scope: HTTPScope, body: bytes) -> tuple[Export, CollectorResponse]:
        """Make the export of a request, and the answer to it."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        place = scope["raw_path"].decode("latin-1")
        now = time_ns()
        try:
            version = self._version(scope["method"], place, headers)
            written = samples(self._content(body), version, self._kinds)
        except ExpositionError as error:
            status = error.status if isinstance(error, _RefusedError) else 400
            refused = exposed(self.name, None, body, place, now, 1, str(error))
            return (
                replace(refused, status=status),
                CollectorResponse(http_status=status, message=str(error)),
            )
        made = export(self.name, written, place, now)
        if self._asking is not None:
            made, answer = self._asking.ask(made)
            if answer is not None:
                return made, answer
        counted = (("x-prometheus-remote-write-samples-written", str(len(written))),)
        return made, CollectorResponse(http_status=204, headers=counted if version == 2 else ())

    def _version(self, method: str, path: str, headers: Mapping[str, str]) -> int:
        if path.partition("?")[0] != PATH:
            raise _RefusedError(404, f"no such path: expected {PATH}")
        if method != "POST":
            raise _RefusedError(405, f"method {method}: expected POST")
        media_type, _, parameters = headers.get("content-type", "").partition(";")
        if media_type.strip().lower() != "application/x-protobuf":
            raise _RefusedError(415, f"media type {media_type!r}: expected application/x-protobuf")
        if (coding := headers.get("content-encoding", "")).lower() != "snappy":
            raise _RefusedError(415, f"content encoding {coding!r}: expected snappy")
        named = re.search(r"proto\s*=\s*\"?([\w.]+)", parameters)
        message = named[1] if named else "prometheus.WriteRequest"
        version = _VERSIONS.get(message, 0)
        if version == 0 or (version == 2 and not self._version_2):
            raise _RefusedError(415, f"message {message}: expected prometheus.WriteRequest")
        return version

    def _content(self, body: bytes) -> bytes:
        """Undo the compression, up to the limit."""
        try:
            size = cramjam.snappy.decompress_raw_len(body)
            if size > self._max_body_bytes:
                raise _RefusedError(413, f"body of {size} bytes")
            content: bytes = bytes(memoryview(cramjam.snappy.decompress_raw(body)))
        except cramjam.DecompressionError as error:
            raise _RefusedError(400, f"the body is not valid snappy: {error}") from None
        return content


class _RefusedError(ExpositionError):
    """A request that is answered with ``status``."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
