"""An ASGI application served on 127.0.0.1 from a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self

import uvicorn

_STOP_DEADLINE_S = 10.0


class LoopbackServer:
    """Serves ``app`` on a free port for as long as the ``with`` block lasts.

    The socket listens as soon as the block is entered: a request sent before the
    thread is up waits in the backlog, so nobody needs to wait for "ready".
    Leaving the block drops open connections and ends the thread.
    """

    def __init__(self, app: Any, name: str) -> None:
        self._name = name
        self._config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_DEADLINE_S)

    def _run(self) -> None:
        with contextlib.closing(self._loop), contextlib.closing(self._socket):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = uvicorn.Server(self._config)
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        await self._stop.wait()
        # Not uvicorn's own way out, which sleeps for a tenth of a second at least.
        while not server.started:
            await asyncio.sleep(0)
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        serving.cancel()
        # The application waits for nothing but its client, which is gone now.
        await asyncio.gather(serving, *server.server_state.tasks, return_exceptions=True)
