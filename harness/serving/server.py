"""Serve an ASGI application with uvicorn, from a thread of this process, on a given socket.

uvicorn's HTTP protocol (httptools parser, pipelining, flow control) is used as it is;
its ``Server`` is not, because that one takes 0.1 to 0.3 s to stop, logs each start and
stop, and handles signals.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import uvicorn
from uvicorn.server import ServerState

from ..replaced import require_real_threads, true_sockets
from .application import AtOnce, Malformed
from .connection import HttpConnection
from .writing import ToWrite

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

#: An ASGI application for HTTP alone: uvicorn's own type wants one for web sockets, too.
Application = Callable[..., Awaitable[None]]


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
    ``at_once`` answers what it can of those requests that arrive whole, without a task for each.
    """

    def __init__(
        self,
        app: Application,
        listener: socket.socket,
        malformed: Malformed | None = None,
        tls: ssl.SSLContext | None = None,
        at_once: AtOnce | None = None,
    ) -> None:
        require_real_threads("an HTTP server")
        self._tls = tls
        self._at_once = at_once
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
        self._to_write: ToWrite
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
        self._to_write = ToWrite(self._loop)
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
        return HttpConnection(
            self._config,
            self._state,
            self._malformed,
            self._connection_ended,
            self._at_once,
            self._to_write,
        )

    def _connection_ended(self) -> None:
        if self._stop_asked.is_set() and not self._state.connections:
            self._drained.set()
