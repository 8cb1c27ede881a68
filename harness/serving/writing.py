"""Writes the answers of many connections at the end of a turn of their loop."""

from __future__ import annotations

import asyncio
from typing import Protocol


class _Connection(Protocol):
    def write_answers(self) -> None: ...


class ToWrite:
    """The connections of a server whose answers are written at the end of this turn of its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._connections: list[_Connection] = []

    def add(self, connection: _Connection) -> None:
        """Have the answers of a connection written, before any task that is made from now on."""
        if not self._connections:
            self._loop.call_soon(self._write)
        self._connections.append(connection)

    def _write(self) -> None:
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.write_answers()
