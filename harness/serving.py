"""Serve an ASGI application with uvicorn, from a thread of this process, on a given socket.

uvicorn's HTTP protocol (httptools parser, pipelining, flow control) is used as it is;
its ``Server`` is not, because that one takes 0.1 to 0.3 s to stop, logs each start and
stop, and handles signals.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    from uvloop import new_event_loop
except ImportError:  # no wheel for this Python or platform: slower, otherwise the same
    from asyncio import new_event_loop

#: uvicorn hangs up on a connection after 5 s without a request.  An exporter that sends
#: once a minute would then race with that; real collectors keep connections for longer.
KEEP_ALIVE_S = 3600

_LOGGER = logging.getLogger("harness.serving")

#: In ``scope["state"]`` of a request whose body turned out not to be HTTP.
MALFORMED = "malformed"

#: In ``scope["state"]`` of every request: a function that closes its connection once
#: what was sent is out.  The application must then wait for ``http.disconnect``.
HANG_UP = "hang_up"

#: In ``scope["state"]`` of every request over TLS: its connection's ``ssl.SSLObject``.
TLS = "tls"


#: An ASGI application for HTTP alone: uvicorn's own type wants one for web sockets, too.
Application = Callable[..., Awaitable[None]]


class Malformed(Protocol):
    """A function that answers malformed HTTP requests; see :class:`HttpServer`."""

    def __call__(
        self, scope: HTTPScope, reason: str, *, handled: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the headers and the body of a 400 response.

        ``scope`` holds what could be parsed. ``handled`` means that the application has received
        the request already: its body will end early, and ``scope["state"]`` says why
        under :data:`MALFORMED`.
        """


class HttpServer:
    """An HTTP server for one ASGI application on one listening socket.

    ``malformed`` answers malformed requests; without it, uvicorn does. ``tls`` makes it an
    HTTPS server; a connection that fails its handshake is closed without further notice.
    """

    def __init__(
        self,
        app: Application,
        listener: socket.socket,
        malformed: Malformed | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._malformed = malformed
        self._listener = listener
        self._state = ServerState()
        # Nothing here may touch the process: no log configuration, no access log switch
        # (uvicorn's would silence the access log of a uvicorn that the user runs).
        self._config = uvicorn.Config(
            app,
            http="httptools",
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._thread = threading.Thread(
            target=self._run, name=f"loopback-http-{listener.getsockname()[1]}", daemon=True
        )
        self._started: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop
        self._stop_asked: asyncio.Event
        self._drained: asyncio.Event
        self._grace_s = 0.0

    def start(self) -> None:
        """Start the server's thread, and return once connections are accepted."""
        self._thread.start()
        self._started.result()

    def stop(self, grace_s: float) -> None:
        """Let requests in progress finish for up to ``grace_s`` seconds, then abort them."""
        self._grace_s = grace_s
        self._loop.call_soon_threadsafe(self._stop_asked.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        self._drained = asyncio.Event()
        try:
            self._config.load()
            server = await self._loop.create_server(
                self._connection,
                sock=self._listener,
                backlog=self._config.backlog,
                ssl=self._tls,
            )
        except BaseException as error:
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        await self._stop_asked.wait()
        server.close()
        connections = self._state.connections
        for connection in list(connections):
            connection.shutdown()
        if connections:
            try:
                async with asyncio.timeout(self._grace_s):
                    await self._drained.wait()
            except TimeoutError:
                for connection in list(connections):
                    connection.transport.abort()
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)

    def _connection(self) -> asyncio.Protocol:
        return _Connection(self._config, self._state, self._malformed, self._connection_ended)

    def _connection_ended(self) -> None:
        if self._stop_asked.is_set() and not self._state.connections:
            self._drained.set()


class _Connection(HttpToolsProtocol):
    """uvicorn's protocol, with a configurable answer to malformed requests and no access log."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        malformed: Malformed | None,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self.access_log = False
        self.logger = _LOGGER
        self._malformed = malformed
        self._on_end = on_end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {HANG_UP: transport.close}
        if self.scheme == "https":
            self.app_state[TLS] = transport.get_extra_info("ssl_object")

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.body and not cycle.response_complete:
            # uvicorn collects in a bytearray and hands out a copy of it.  Most bodies
            # come in one part: handed out as it is, that saves both copies.
            cycle.body = body  # type: ignore[assignment]
            body = b""
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_end()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that uvicorn's parser rejected, with the application's error body."""
        if self._malformed is None:
            super().send_400_response(msg)
            return
        cycle = self.cycle
        handled = cycle is not None and cycle.more_body and not cycle.response_complete
        if handled:
            cycle.scope["state"][MALFORMED] = msg
        scope: dict[str, object] = {
            "method": "",
            "raw_path": b"",
            "headers": [],
            "http_version": "",
            "client": self.client,
            "scheme": self.scheme,
            "state": self.app_state,
        }
        if self.scope is not None and (cycle is None or cycle.scope is not self.scope):
            # The parser had come as far as the request line.
            scope |= {**self.scope, "raw_path": self.url}
        headers, body = self._malformed(cast("HTTPScope", scope), msg, handled=handled)
        lines = b"".join([b"%s: %s\r\n" % header for header in headers])
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\n%sconnection: close\r\n\r\n%s" % (lines, body)
        )
        self.transport.close()
