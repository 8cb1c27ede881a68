"""A TCP proxy in front of a server that counts, refuses and resets connections.

It does not parse HTTP, gRPC or TLS, so it also sees connections that never became a
request, and disturbs every protocol alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Self

from ..capture.waits import Waits
from ..clock import time_ns
from ..serving.server import new_event_loop

_HOST = "127.0.0.1"
_CHUNK_BYTES = 64 * 1024
#: What is at least as long is a request, or a part of one: HTTP/2 has much shorter frames
#: for its own purposes.
_REQUEST_BYTES = 500
#: Close with a reset: nothing lingers.
_NO_LINGER = struct.pack("ii", 1, 0)


class FaultProxy:
    """A TCP proxy with a port for each of ``targets``, which are ports of this machine.

    It is a free port, or that in the same place of ``ports``. :meth:`port` returns the proxy's
    port for a target. A closed proxy refuses connections and keeps its ports, so that no other
    process gets them. ``new_socket`` makes the sockets on which it listens; they may be of another
    network than the targets.
    """

    def __init__(
        self,
        targets: tuple[int, ...],
        *,
        is_open: bool = True,
        ports: tuple[int, ...] = (),
        new_socket: Callable[[], socket.socket] = socket.socket,
    ) -> None:
        self._new_socket = new_socket
        self._targets = targets
        self._ports = ports or (0,) * len(targets)
        self._opens_at_once = is_open
        #: How long clients waited until somebody behind the proxy heard of them.
        self.waits = Waits()
        self._connections: list[int] = []
        self._connected = threading.Event()
        self._to_cut = 0
        self._cuts: list[int] = []
        self._openings: list[int] = []
        self._streams: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        #: Bound and never listening: they keep the ports while the proxy is closed.
        self._held: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop
        self._leaving: asyncio.Event
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        try:
            for port in self._ports:
                self._held.append(self._bound(port))
        except OSError:
            self._release()
            raise
        self._thread.start()
        self._started.result()
        if self._opens_at_once:
            self._do(self._listen())
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join()
        self._release()

    def _bound(self, port: int) -> socket.socket:
        """Bind a socket to ``port`` (0: a free one) that further sockets of ours can share."""
        made = self._new_socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            made.bind((_HOST, port))
        except OSError:
            made.close()
            raise
        return made

    def _release(self) -> None:
        for held in self._held:
            held.close()

    def port(self, target: int) -> int:
        """Return the port on which the proxy listens for ``target``."""
        port: int = self._held[self._targets.index(target)].getsockname()[1]
        return port

    @property
    def connections(self) -> tuple[int, ...]:
        """The times of all accepted connections, in Unix nanoseconds; refused ones are unknown."""
        return tuple(self._connections)

    def wait_for_connection(self, timeout_s: float) -> bool:
        """Wait for the first accepted connection; say whether there is one."""
        return self._connected.wait(timeout_s)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The times at which requests were cut off, in Unix nanoseconds."""
        return tuple(self._cuts)

    @property
    def openings(self) -> tuple[int, ...]:
        """The times at which the closed proxy was opened, in Unix nanoseconds."""
        return tuple(self._openings)

    def cut(self, requests: int = 1) -> None:
        """Reset the connections of the next ``requests`` requests, in the middle of each."""
        self._to_cut = requests

    def open(self) -> None:
        """Start to accept connections, unless the proxy is open already."""
        if not self._servers:
            self._openings.append(time_ns())
        self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leaving = asyncio.Event()
        self._started.set_result(None)
        await self._leaving.wait()
        self._close()
        while self._relays:
            await asyncio.wait(self._relays)

    async def _listen(self) -> None:
        if self._servers:
            return
        for target, held in zip(self._targets, self._held, strict=True):
            listener = self._bound(held.getsockname()[1])
            relay = partial(self._relay, target)
            self._servers.append(await asyncio.start_server(relay, sock=listener))

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for stream in list(self._streams):
            _end(stream, reset=False)

    async def _relay(
        self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._connections.append(time_ns())
        self._connected.set()
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)
        self._streams.add(writer)
        inner_writer = None
        try:
            with self.waits.clocked():
                inner_reader, inner_writer = await self._connect(target)
            self._streams.add(inner_writer)
            await asyncio.gather(
                self._pass_on(reader, writer, inner_writer), copy_stream(inner_reader, writer)
            )
        except OSError:
            _end(writer, reset=True)
        finally:
            for stream in filter(None, (writer, inner_writer)):
                stream.close()
                with contextlib.suppress(OSError):
                    await stream.wait_closed()
                self._streams.discard(stream)

    async def _connect(self, target: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open the connection to the server behind."""
        return await asyncio.open_connection(_HOST, target)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        inner: asyncio.StreamWriter,
    ) -> None:
        """Relay what the client sends, up to a request that is to be cut off."""

        def cut_off(data: bytes) -> bool:
            if not self._to_cut or len(data) < _REQUEST_BYTES:
                return False
            self._to_cut -= 1
            self._cuts.append(time_ns())
            inner.write(data[: len(data) // 2])
            _end(client, reset=True)
            return True

        await copy_stream(reader, inner, cut_off)


async def copy_stream(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    cut_off: Callable[[bytes], bool] = lambda data: False,
) -> None:
    # uvloop raises a RuntimeError where the other direction has closed the connection.
    with contextlib.suppress(OSError, RuntimeError):
        while (data := await reader.read(_CHUNK_BYTES)) and not cut_off(data):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset and (raw := writer.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
