"""Send given bytes to a collector under test, and tell exactly what it answered.

Nothing is sent again, nothing is decoded, and nothing is raised for what the peer does: that is in
:attr:`~harness.relay.answer.Answer.error`. Everything ends by a deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import grpc

from ..collector.grpc_server import METHODS
from .answer import Answer as Answer
from .answer import Deadline
from .closing import Closing
from .endpoint import ClientTls, Endpoint
from .wire import Connection, request_bytes

#: How long an answer may take, in seconds.
TIMEOUT_S = 10.0

EXPORT_METHODS = {signal: method for method, signal in METHODS.items()}

_UNLIMITED = -1

#: The options of a channel: one connection, one attempt, no proxy, and no limit of ours.
CHANNEL_OPTIONS = (
    # Else all clients of an address would share one connection.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.max_receive_message_length", _UNLIMITED),
)

#: How the messages begin that grpcio writes itself, for a connection that failed or broke; there
#: is no other sign that a server did not say UNAVAILABLE. It may say such things later on.
_BY_GRPCIO = (
    *("failed to connect", "recvmsg", "sendmsg", "Socket closed", "Stream removed", "GOAWAY"),
    *("Connection reset", "Broken pipe", "Endpoint read failed", "Transport closed", "DNS resol"),
    *("transport is closing", "Cancelling all calls", "empty address list"),
)


class HttpClient(Closing):
    """An HTTP/1.1 client on one connection, which is kept between requests.

    Threads may share it: their requests take turns.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close the connection; the next request would open another."""
        with self._turn:
            self._hang_up()

    def send(
        self,
        path: str,
        body: bytes | None,
        headers: Sequence[tuple[str, str]] = (),
        *,
        method: str = "POST",
        chunk_bytes: int = 0,
        timeout_s: float = TIMEOUT_S,
        anonymous: bool = False,
    ) -> Answer:
        """Send one request and return its answer.

        ``path`` follows the endpoint's base path. The endpoint's headers are added, unless the
        request is ``anonymous``. ``chunk_bytes`` as in :func:`harness.relay.wire.request_bytes`.
        """
        own = () if anonymous else self.endpoint.headers
        data = request_bytes(self.endpoint, method, path, (*headers, *own), body, chunk_bytes)
        with self._turn:
            deadline = Deadline(timeout_s)
            if self._connection is not None and not self._connection.usable:
                self._hang_up()
            try:
                self._connection = self._connection or Connection(self.endpoint, deadline)
            except OSError as error:
                return unreachable(error, deadline)
            self._connection.send(data, deadline)
            answer = self._connection.answer(deadline, method)
            if answer.error:
                self._hang_up()
            return answer

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class GrpcClient(Closing):
    """A gRPC client on a connection of its own; threads may share it, their calls run at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        if endpoint.tls is None:
            self._channel = grpc.insecure_channel(endpoint.authority, CHANNEL_OPTIONS)
        else:
            self._channel = grpc.secure_channel(
                endpoint.authority, channel_credentials(endpoint.tls), CHANNEL_OPTIONS
            )

    def close(self) -> None:
        """Close the connection; calls under way are given up."""
        self._channel.close()

    def call(
        self,
        method: str,
        message: bytes,
        metadata: Sequence[tuple[str, str | bytes]] = (),
        *,
        compressed: bool = False,
        timeout_s: float = TIMEOUT_S,
        anonymous: bool = False,
    ) -> Answer:
        """Make one call (``method`` is its whole path) and return its answer.

        The endpoint's headers are added, unless the call is ``anonymous``; ``compressed`` sends
        the message with gzip.
        """
        own = () if anonymous else self.endpoint.headers
        pairs = [(name.lower(), value) for name, value in (*metadata, *own)]
        # Without serializers the bytes stay bytes; the stubs demand them.
        call: Any = self._channel.unary_unary(method, None, None)
        deadline = Deadline(timeout_s)
        try:
            body, outcome = call.with_call(
                message,
                timeout=timeout_s,
                metadata=pairs,
                compression=grpc.Compression.Gzip if compressed else None,
            )
        except grpc.RpcError as error:
            return failed(error, deadline)
        except ValueError as error:  # the channel was closed meanwhile
            return Answer(error=str(error), seconds=deadline.passed)
        return Answer(
            code=grpc.StatusCode.OK.name,
            details=outcome.details() or "",
            body=body,
            headers=_texts(outcome.initial_metadata()),
            trailers=_pairs(outcome.trailing_metadata()),
            seconds=deadline.passed,
        )


def unreachable(error: OSError, deadline: Deadline) -> Answer:
    """Make the answer of a peer to which no connection could be opened."""
    said = error.strerror or str(error) or type(error).__name__
    timed_out = isinstance(error, TimeoutError)
    return Answer(error=f"cannot connect: {said}", timed_out=timed_out, seconds=deadline.passed)


def channel_credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    """Return what a channel needs for TLS. Raises UsageError for a file that cannot be read."""
    return grpc.ssl_channel_credentials(tls.pem("ca"), tls.pem("key"), tls.pem("certificate"))


def failed(error: Any, deadline: Deadline) -> Answer:
    """Make the answer of a call that failed: as the server says, or as grpcio does for it.

    ``error`` is what a call raised, of ``grpc`` or of ``grpc.aio``.
    """
    code = error.code()
    details = error.details() or ""
    ours = ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED and not deadline.left:
        ours = f"no answer {deadline}"
    elif code is grpc.StatusCode.UNAVAILABLE and details.startswith(_BY_GRPCIO):
        ours = f"no answer: {details}"
    return Answer(
        code="" if ours else code.name,
        details=details,
        headers=_texts(error.initial_metadata()),
        trailers=_pairs(error.trailing_metadata()),
        error=ours,
        timed_out=ours.startswith("no answer within"),
        seconds=deadline.passed,
    )


def _pairs(metadata: Any) -> tuple[tuple[str, str | bytes], ...]:
    return tuple((key, value) for key, value in metadata or ())


def _texts(metadata: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in _pairs(metadata) if isinstance(value, str))
