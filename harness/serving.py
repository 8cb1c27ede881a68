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

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from harness.clock import time_ns
from harness.http_heads import no_request, without_offer
from harness.replaced import require_real_threads, true_sockets

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    # It keeps the class of sockets for good, and now may be a test in which a plugin forbids them.
    with true_sockets():
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

#: In ``scope["state"]`` of every request: its :class:`Connection`.
CONNECTION = "connection"


#: An ASGI application for HTTP alone: uvicorn's own type wants one for web sockets, too.
Application = Callable[..., Awaitable[None]]


#: The most bytes of a request's line and headers together; more is answered with 431. Some releases
#: send two megabytes of what their headers helper printed: that must come through.
HEAD_BYTES = 4 * 1024 * 1024

#: What a header weighs beside its text, so that many empty ones do not pass.
_PAIR_BYTES = 160

#: How long we read on, in seconds and in bytes, after a refusal that ends the connection: who still
#: sends would otherwise be reset, and might not read the answer.
_LINGER_S = 10.0
_LINGER_BYTES = 1024 * 1024

_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class Malformed(Protocol):
    """A function that answers malformed HTTP requests; see :class:`HttpServer`."""

    def __call__(
        self, scope: HTTPScope, status: int, reason: str, *, handled: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the headers and the body of a response with ``status``: 400 or 431.

        ``scope`` holds what could be parsed. ``handled`` means that the application has received
        the request already: its body will end early, and ``scope["state"]`` says why
        under :data:`MALFORMED`.
        """


class Connection:
    """A client's connection: when it ended, in Unix nanoseconds; 0 while it lasts."""

    __slots__ = ("ended_unix_nano",)

    def __init__(self) -> None:
        self.ended_unix_nano = 0


def listening(new_socket: Callable[[], socket.socket]) -> socket.socket:
    """Let a new socket listen on a free port of loopback."""
    made = new_socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


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
        require_real_threads("an HTTP server")
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


class _HeadTooLargeError(Exception):
    """A request's line and headers are larger than :data:`HEAD_BYTES`."""


class _Connection(HttpToolsProtocol):
    """uvicorn's protocol, with bounded heads, a configurable answer to what is no HTTP, and no log.

    A request that cannot be read is answered after those before it, and ends the connection.
    """

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
        self._life = Connection()
        #: Whether a request's line or headers are being read, whether they began with the data
        #: that came last, and about how many bytes of them came before that.
        self._in_head = self._began = False
        self._head = 0
        #: What the headers weigh so far that were read to their ends.
        self._weight = 0
        #: The headers of a request that offers another protocol, until it is read without that.
        self._offered: list[tuple[bytes, bytes]] = []
        #: Status and reason of the refusal that is due when all before it is answered.
        self._due: tuple[int, str] | None = None
        #: How many more bytes are read, and thrown away, after a refusal.
        self._lingers: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {HANG_UP: transport.close, CONNECTION: self._life}
        if self.scheme == "https":
            self.app_state[TLS] = transport.get_extra_info("ssl_object")

    def data_received(self, data: bytes) -> None:
        if self._due is not None:
            self._throw_away(len(data))
            return
        self._unset_keepalive_if_required()
        self._began = False
        try:
            if self._in_head and self._head > HEAD_BYTES:
                # The parser joins the parts of an unfinished header anew with each of them.
                raise _HeadTooLargeError
            self.parser.feed_data(data)
        except (_HeadTooLargeError, httptools.HttpParserError) as error:
            if isinstance(error, _HeadTooLargeError) or isinstance(
                error.__context__, _HeadTooLargeError
            ):
                self._refuse(431, f"request line and headers of more than {HEAD_BYTES} bytes")
            else:
                self._refuse(400, no_request(error, data))
        except httptools.HttpParserUpgrade as stopped:
            if self._offered:
                self._decline(data[stopped.args[0] :])
            # A tunnel (CONNECT) is not made here: the request was answered as one of HTTP.
        if self._in_head and not self._began:
            self._head += len(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._began = True
        self._head = self._weight = 0

    def on_url(self, url: bytes) -> None:
        self._weigh(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._weigh(len(name) + len(value) + _PAIR_BYTES)
        if self._in_head:  # a trailer, which follows the body, is no header of the request
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            # The parser takes what follows for another protocol: read again without the offer.
            self._offered = self.headers
            return
        if self._offered:
            # As they were sent, the offer among them.
            self.headers[:], self._offered = self._offered, []
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._offered:
            super().on_message_complete()

    def _decline(self, rest: bytes) -> None:
        """Read a request anew that offers to go on in another protocol, as if it did not.

        A server may ignore such an offer (RFC 9110, 7.8); the body belongs to the request then.
        """
        old = self.parser
        head = without_offer(old.get_method(), self.url, old.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def _weigh(self, size: int) -> None:
        self._weight += size
        if self._weight > HEAD_BYTES:
            raise _HeadTooLargeError

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
        self._life.ended_unix_nano = time_ns()
        self._on_end()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.pipeline:
            # uvicorn reads on after each response, however many requests wait for theirs.
            self.flow.pause_reading()
        self._answer_what_is_due()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer what cannot be read, once what came before it is answered."""
        self._due = (status, reason)
        self.flow.pause_reading()
        self._answer_what_is_due()

    def _answer_what_is_due(self) -> None:
        if self._due is None or self._lingers is not None or self.transport.is_closing():
            return
        cycle = self.cycle
        broken = cycle is not None and cycle.more_body and not cycle.response_complete
        if self.pipeline or not (broken or cycle is None or cycle.response_complete):
            return
        status, reason = self._due
        scope: dict[str, object] = {
            "method": "",
            "raw_path": b"",
            "headers": [],
            "http_version": "",
            "client": self.client,
            "scheme": self.scheme,
            "state": self.app_state,
        }
        if self.scope is not None and (broken or cycle is None or cycle.scope is not self.scope):
            # The parser had come as far as the request line.
            scope |= {**self.scope, "raw_path": self.url}
        if broken:
            cycle.scope["state"][MALFORMED] = reason
        if self._malformed is None:
            body = reason.encode("utf-8", "backslashreplace")
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            headers.append((b"content-length", b"%d" % len(body)))
        else:
            headers, body = self._malformed(
                cast("HTTPScope", scope), status, reason, handled=broken
            )
        lines = b"".join([b"%s: %s\r\n" % header for header in headers])
        self.transport.write(
            b"HTTP/1.1 %d %s\r\n%sconnection: close\r\n\r\n%s"
            % (status, _REASONS[status], lines, body)
        )
        if broken:
            cycle.disconnected = True
            cycle.message_event.set()
        self._linger()

    def _linger(self) -> None:
        """Close the connection when the client has, or has had the time to read the answer."""
        self._lingers = _LINGER_BYTES
        if not self.transport.can_write_eof():
            self.transport.close()  # TLS
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _throw_away(self, size: int) -> None:
        if self._lingers is not None:
            self._lingers -= size
            if self._lingers < 0:
                self.transport.close()
