"""A forward proxy for HTTP on loopback: tunnels (CONNECT) and requests in absolute form.

It leads to loopback alone: to the ports of its routes, under whatever names they have there.
Whoever asks for something else is refused, and that it was asked for is recorded. So it also
witnesses what a subject that uses it would have sent elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from ..serving.server import new_event_loop
from .fault_proxy import copy_stream

_HOST = "127.0.0.1"
_CONNECT = "CONNECT"
#: Between a client and its proxy only.
_OF_THE_HOP = frozenset({b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection"})

_ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"
_REFUSAL = b"HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_REASONS = {400: b"Bad Request", 403: b"Forbidden", 502: b"Bad Gateway"}


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A request that the proxy got.

    ``tunnel``: by CONNECT, and in absolute form otherwise. ``target`` is the host and the port
    that it is for; ``authorization`` is what it says of itself (empty: nothing); ``passed_on`` is
    whether it was not refused.
    """

    tunnel: bool
    target: str
    authorization: str
    passed_on: bool


class HttpProxy:
    """A forward proxy that leads to ``routes``, while its ``with`` block lasts.

    They are ports of this machine, by the host and port that clients ask for; more can be added at
    any time by :meth:`lead`. Every other request is answered with 403. ``new_socket`` makes the
    sockets on which it listens and connects.
    """

    def __init__(
        self,
        routes: Mapping[str, int] | None = None,
        new_socket: Callable[[], socket.socket] = socket.socket,
    ) -> None:
        self._new_socket = new_socket
        self._routes = dict(routes or {})
        self._refused: set[str] = set()
        self._requests: list[ProxyRequest] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._leaving: asyncio.Event
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="http-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._listener = self._new_socket()
        self._listener.bind((_HOST, 0))
        self._listener.listen()
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """The value for ``HTTP_PROXY`` and its like."""
        return f"http://{_HOST}:{self._listener.getsockname()[1]}"

    @property
    def requests(self) -> tuple[ProxyRequest, ...]:
        """Every request so far, in the order of arrival; those that are no HTTP left out."""
        return tuple(self._requests)

    def lead(self, target: str, port: int) -> None:
        """Lead requests for ``target`` (``host:port``) to a port of this machine."""
        self._routes[target] = port

    def refuse(self, target: str) -> None:
        """Expect to be asked for ``target``, too, and refuse."""
        self._refused.add(target)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What else it was asked for than what it leads to or was to refuse, each once."""
        asked = dict.fromkeys(request.target for request in self.requests)
        return tuple(target for target in asked if target not in {*self._routes, *self._refused})

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leaving = asyncio.Event()
        server = await asyncio.start_server(self._connected, sock=self._listener)
        self._started.set_result(None)
        await self._leaving.wait()
        server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            # A client that went away, and the end of the proxy, are no news.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _opened(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connecting = await asyncio.to_thread(self._new_socket)
        try:
            connecting.setblocking(False)
            await self._loop.sock_connect(connecting, (_HOST, port))
            return await asyncio.open_connection(sock=connecting)
        except BaseException:
            connecting.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection, and relay what follows."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request = _Head.read(head)
        except asyncio.IncompleteReadError:
            return
        except (asyncio.LimitOverrunError, ValueError):
            writer.write(_refusal(400))
            return
        port = self._routes.get(request.target)
        self._requests.append(
            ProxyRequest(
                request.method == _CONNECT, request.target, request.authorization, port is not None
            )
        )
        if port is None:
            writer.write(_refusal(403))
            return
        try:
            inner_reader, inner_writer = await self._opened(port)
        except OSError:
            writer.write(_refusal(502))
            return
        try:
            if request.method == _CONNECT:
                writer.write(_ESTABLISHED)
            else:
                inner_writer.write(request.passed_on())
            both = [
                asyncio.ensure_future(copy_stream(reader, inner_writer)),
                asyncio.ensure_future(copy_stream(inner_reader, writer)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in both:
                    direction.cancel()
        finally:
            inner_writer.close()


@dataclass(frozen=True, slots=True)
class _Head:
    """The request line and the headers of a request to a proxy."""

    method: str
    url: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def read(cls, head: bytes) -> Self:
        """Read a head; raise ValueError for what is no request to a proxy."""
        first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
        method, url, _ = first.decode("latin-1").split(" ")
        headers = tuple(
            (name.strip(), value.strip()) for name, _, value in (li.partition(b":") for li in lines)
        )
        if method == _CONNECT:
            return cls(method, url, url, headers)
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError(f"not in absolute form: {url}")
        return cls(method, url, f"{parts.hostname}:{parts.port or 80}", headers)

    @property
    def authorization(self) -> str:
        for name, value in self.headers:
            if name.lower() == b"proxy-authorization":
                return value.decode("latin-1")
        return ""

    def passed_on(self) -> bytes:
        """Return the head for the server itself: in origin form, for this request alone."""
        parts = urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [header for header in self.headers if header[0].lower() not in _OF_THE_HOP]
        lines = [b"%s: %s" % header for header in (*kept, (b"Connection", b"close"))]
        first = f"{self.method} {path} HTTP/1.1".encode("latin-1")
        return b"\r\n".join((first, *lines)) + b"\r\n\r\n"


def _refusal(status: int) -> bytes:
    return _REFUSAL % (status, _REASONS[status])
