"""The OTLP/gRPC server on grpcio: the three Export methods, and a record of every other call.

Requests stay bytes: no deserializer is given to grpcio.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from urllib.parse import unquote

import grpc

from ..capture.export import Export
from ..clock import time_ns
from ..otlp.envelope import Check, check_request
from ..otlp.errors import DecodeError
from ..otlp.messages import Encoding
from ..otlp.model import Protocol, Signal
from .answer import Asking
from .store import Store
from .tls import Tls, grpc_client

METHODS = {
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": Signal.METRICS,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": Signal.LOGS,
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": Signal.TRACES,
}

#: Calls handled at the same time.  A handler waits only for the bytes of its own request.
#: More threads take turns on Python's lock: eight store a sixth less than two do.
THREADS = 2

#: The same where a responder may hold answers back.
PATIENT_THREADS = 32

#: How many bytes more than the limit grpcio takes.  What it refuses itself, it refuses without
#: telling us why: to be told from calls that were broken off, an oversized message must come
#: through to us.  A bound there must be, though: a message may be a decompression bomb.
HEADROOM_BYTES = 256 * 1024 * 1024

#: How many bytes of metadata a call may have: names and values.  Nobody names a limit; grpcio's own
#: is an eighth of it.
METADATA_BYTES = 64 * 1024

#: From here on grpcio refuses a call itself, without telling us.  Its two limits are the same:
#: between them it refuses by chance.
_METADATA_HARD_LIMIT = 1024 * 1024

#: The largest value that grpcio's option can have.
_LARGEST_BYTES = 2**31 - 1

_Headers = tuple[tuple[str, str], ...]

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcServer:
    """An OTLP/gRPC server on ``address`` (``host:port``) that stores every call.

    ``check`` raises DecodeError for a message that is to be refused.
    """

    def __init__(
        self,
        address: str,
        store: Store,
        max_body_bytes: int,
        asking: Asking | None,
        tls: Tls | None = None,
        check: Check = check_request,
    ) -> None:
        threads = THREADS if asking is None else PATIENT_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="otlp-grpc")
        self._server = grpc.server(
            self._threads,
            handlers=[_Handlers(store, max_body_bytes, asking, tls is not None, check)],
            options=[
                # grpcio's default would let two servers share one port, silently.
                ("grpc.so_reuseport", 0),
                ("grpc.max_metadata_size", _METADATA_HARD_LIMIT),
                ("grpc.absolute_max_metadata_size", _METADATA_HARD_LIMIT),
                # Held by grpcio before and after decompression.
                (
                    "grpc.max_receive_message_length",
                    min(max_body_bytes + HEADROOM_BYTES, _LARGEST_BYTES),
                ),
            ],
        )
        #: Raises RuntimeError where the address cannot be had.
        self.port: int = (
            self._server.add_insecure_port(address)
            if tls is None
            else self._server.add_secure_port(address, tls.credentials())
        )

    def start(self) -> None:
        self._server.start()

    def stop(self, grace_s: float) -> None:
        """Let calls in progress finish for up to ``grace_s`` seconds, then cancel them."""
        self._server.stop(grace_s).wait()
        self._threads.shutdown()


class _OverLimitError(Exception):
    """A call is over a limit of ours; says which."""


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
    """The handlers of all gRPC methods, unknown ones included.

    They are registered as client-streaming although Export is unary: only then does grpcio
    call a handler for a call whose message never arrived.
    """

    def __init__(
        self, store: Store, max_body_bytes: int, asking: Asking | None, tls: bool, check: Check
    ) -> None:
        self._check_request = check
        self._tls = tls
        self._store = store
        self._max_body_bytes = max_body_bytes
        self._asking = asking
        self._known = {method: self._handler(method) for method in METHODS}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        return self._known.get(details.method) or self._handler(details.method)

    def _handler(self, method: str) -> grpc.RpcMethodHandler[bytes, bytes]:
        def handle(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            return self._handle(method, requests, context)

        return grpc.stream_unary_rpc_method_handler(handle)

    def _receive(
        self, method: str, requests: Iterator[bytes], headers: _Headers
    ) -> tuple[bytes, grpc.StatusCode, str]:
        """Return a call's message, the code that it is answered with, and why it is refused.

        Raises :class:`_OverLimitError` for what is over a limit of ours.
        """
        signal = METHODS.get(method)
        try:
            body = next(requests)
        except (grpc.RpcError, StopIteration):
            # grpcio does not say why, and which of the two it raises is a race.  Whoever
            # cancelled gets no answer; whoever sent far too much is told by grpcio itself.
            reason = (
                "no message arrived: cancelled by the client, none was sent, compressed "
                "otherwise than by gzip or deflate, or larger by "
                f"{HEADROOM_BYTES} bytes than the limit of {self._max_body_bytes}"
            )
            return b"", grpc.StatusCode.RESOURCE_EXHAUSTED, reason
        if len(body) > self._max_body_bytes:
            raise _OverLimitError(f"message larger than {self._max_body_bytes} bytes")
        weight = sum(len(name) + len(value) for name, value in headers)
        if weight > METADATA_BYTES:
            raise _OverLimitError(f"metadata of {weight} bytes: at most {METADATA_BYTES} are taken")
        if signal is None:
            return body, grpc.StatusCode.UNIMPLEMENTED, f"no such method: {method}"
        try:
            self._check_request(signal, Encoding.PROTOBUF, body)
        except DecodeError as error:
            return body, grpc.StatusCode.INVALID_ARGUMENT, str(error)
        return body, grpc.StatusCode.OK, ""

    def _handle(
        self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> bytes:
        if self._asking is not None:  # it may be late on purpose
            return self._answer(method, requests, context)
        with self._store.waits.clocked():
            return self._answer(method, requests, context)

    def _answer(
        self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> bytes:
        headers = _headers(context.invocation_metadata())
        over_limit = False
        try:
            body, code, reason = self._receive(method, requests, headers)
        except _OverLimitError as error:
            body, headers, over_limit = b"", (), True
            code, reason = grpc.StatusCode.RESOURCE_EXHAUSTED, str(error)
        export = Export(
            sequence=0,
            protocol=Protocol.GRPC,
            signal=METHODS.get(method),
            method="POST",
            path=method,
            http_version="2",
            headers=headers,
            body=body,
            arrived_unix_nano=time_ns(),
            peer=_peer(context.peer()),
            status=code.value[0],
            rejected=reason,
            peer_certificate=grpc_client(context) if self._tls else "",
            over_limit=over_limit,
        )
        answer = None
        if not reason and self._asking is not None:
            export, answer = self._asking.ask(export)
        # Stored before it is answered: a client that has its answer finds its export here.
        self._store.append(export)
        if answer is not None and answer.hold_s:
            given_up_unix_nano = _hold(context, answer.hold_s)
            if given_up_unix_nano:
                self._store.give_up(export, given_up_unix_nano)
        if answer is not None:
            code, reason = _CODES[answer.grpc_code], answer.message
            context.set_trailing_metadata(
                tuple(pair for pair in answer.headers if pair[0] != "content-type")
            )
        if code is not grpc.StatusCode.OK:
            context.set_code(code)
            context.set_details(reason)
        return b"" if answer is None or answer.body is None else answer.body


def _hold(context: grpc.ServicerContext, seconds: float) -> int:
    """Wait for ``seconds``, or until the client gives up; return the time of that, or 0."""
    over = threading.Event()
    # Not added where the call has ended already.
    if not context.add_callback(over.set) or over.wait(seconds):
        return time_ns()
    return 0


@lru_cache(maxsize=256)
def _headers(metadata: tuple[tuple[str, str | bytes], ...]) -> _Headers:
    """Convert metadata to text headers as on the wire: values of ``-bin`` keys become base64.

    Cached, because a client sends the same metadata with every request.
    """
    return tuple(
        (key, value if isinstance(value, str) else base64.b64encode(value).decode())
        for key, value in metadata
    )


@lru_cache(maxsize=256)
def _peer(address: str) -> str:
    """Return ``127.0.0.1:1`` for gRPC's ``ipv4:127.0.0.1:1``; cached for each connection."""
    return unquote(address.partition(":")[2])
