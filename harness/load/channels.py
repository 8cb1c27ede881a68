"""Send prepared requests from an event loop, one after the other on each connection.

The clients of :mod:`harness.relay.client` take a request apart as exactly as its answer must be
judged; these take the least time that they can, so that the generator is not what is measured.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

import grpc
import grpc.aio
import httptools

from ..otlp.messages import ENCODINGS
from ..otlp.model import Protocol as Otlp
from ..otlp.model import Signal
from ..relay.answer import Answer, Deadline
from ..relay.client import (
    CHANNEL_OPTIONS,
    EXPORT_METHODS,
    TIMEOUT_S,
    channel_credentials,
    failed,
    unreachable,
)
from ..relay.endpoint import Endpoint
from ..relay.wire import LONGEST_ANSWER, request_bytes


class Channel(Protocol):
    """A connection to a collector; its requests must not overlap."""

    async def send(self, signal: Signal, body: bytes) -> Answer:
        """Send one request and return its answer; never raises for what the peer does."""

    async def close(self) -> None:
        """Close the connection."""


def channel_to(endpoint: Endpoint, protocol: Otlp) -> Channel:
    """Make a channel; it connects when the first request is sent."""
    return GrpcChannel(endpoint) if protocol is Otlp.GRPC else HttpChannel(endpoint, protocol)


class HttpChannel:
    """One OTLP/HTTP connection, which is opened again when it was closed."""

    def __init__(self, endpoint: Endpoint, protocol: Otlp) -> None:
        self._endpoint = endpoint
        headers = (("content-type", ENCODINGS[protocol].value), *endpoint.headers)
        # Of each signal's request, all but the length of its body.
        self._heads = {
            signal: request_bytes(endpoint, "POST", f"/v1/{signal}", headers, None)[:-2]
            for signal in Signal
        }
        self._tls = None if endpoint.tls is None else endpoint.tls.context()
        self._connection: _Connection | None = None

    async def send(self, signal: Signal, body: bytes) -> Answer:
        """Send one request and return its answer."""
        deadline = Deadline(TIMEOUT_S)
        reused = self._connection is not None and self._connection.usable
        if not reused:
            try:
                self._connection = await self._connect()
            except OSError as error:
                return unreachable(error, deadline)
        assert self._connection is not None
        data = b"%bContent-Length: %d\r\n\r\n%b" % (self._heads[signal], len(body), body)
        return await self._connection.exchange(data, deadline, reused)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.hang_up("closed by us")

    async def _connect(self) -> _Connection:
        async with asyncio.timeout(TIMEOUT_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection,
                self._endpoint.host,
                self._endpoint.port,
                ssl=self._tls,
                server_hostname=self._endpoint.host if self._tls else None,
            )
        return connection


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._waiting: asyncio.Future[str] | None = None
        self._keep = True
        self.usable = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        self._end(f"closed without a whole answer{f': {error}' if error else ''}")

    async def exchange(self, data: bytes, deadline: Deadline, reused: bool) -> Answer:
        """Write a request, and wait for its answer."""
        loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._waiting = loop.create_future()
        alarm = loop.call_later(deadline.left, self._give_up, deadline)
        self._transport.write(data)
        error = await self._waiting
        alarm.cancel()
        if error:
            timed_out = not deadline.left
            return Answer(error=error, timed_out=timed_out, seconds=deadline.passed, reused=reused)
        if not self._keep:
            self.hang_up("")
        status, content = self._parser.get_status_code(), b"".join(self._body)
        return Answer(
            status,
            # Of a success without a word, nobody asks.
            () if status == 200 and not content else tuple(map(_decoded, self._headers)),
            content,
            seconds=deadline.passed,
            reused=reused,
        )

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.hang_up(f"the answer is no HTTP/1.1: {error}")

    def _give_up(self, deadline: Deadline) -> None:
        self.hang_up(f"no whole answer {deadline}")

    def hang_up(self, why: str) -> None:
        """Close the connection; a request under way has no answer, because of ``why``."""
        self.usable = False
        self._end(why)
        self._transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (called by the parser, as are those below)."""
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._size += len(body)
        if self._size > LONGEST_ANSWER:
            self.hang_up(f"the answer is longer than {LONGEST_ANSWER} bytes")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take note that the answer is whole, unless it is one that announces another."""
        if self._parser.get_status_code() >= 200:
            self._keep = self._parser.should_keep_alive()
            self._end("")

    def _end(self, error: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(error)


def _decoded(header: tuple[bytes, bytes]) -> tuple[str, str]:
    name, value = header
    return name.decode("latin-1"), value.decode("latin-1")


class GrpcChannel:
    """One OTLP/gRPC connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        options = list(CHANNEL_OPTIONS)
        self._channel: Any = (
            grpc.aio.insecure_channel(endpoint.authority, options)
            if endpoint.tls is None
            else grpc.aio.secure_channel(
                endpoint.authority, channel_credentials(endpoint.tls), options
            )
        )
        self._metadata = [(name.lower(), value) for name, value in endpoint.headers]
        # Without serializers the bytes stay bytes; the stubs demand them.
        self._methods: dict[Signal, Any] = {
            signal: self._channel.unary_unary(path, None, None)
            for signal, path in EXPORT_METHODS.items()
        }
        self._used = False

    async def send(self, signal: Signal, body: bytes) -> Answer:
        """Send one request and return its answer."""
        deadline = Deadline(TIMEOUT_S)
        reused, self._used = self._used, True
        try:
            answered = await self._methods[signal](
                body, timeout=TIMEOUT_S, metadata=self._metadata or None
            )
        except grpc.RpcError as error:
            return failed(error, deadline)
        return Answer(
            code=grpc.StatusCode.OK.name, body=answered, seconds=deadline.passed, reused=reused
        )

    async def close(self) -> None:
        """Close the connection; a call under way is given up."""
        await self._channel.close()
