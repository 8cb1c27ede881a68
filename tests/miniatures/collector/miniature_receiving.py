"""A small OTLP server that keeps every rule of receiving, but for the fault that it may have.

It is made of the standard library and grpcio, by another hand than the collector of this project:
what comes in is decoded to its end, and what is accepted is handed on at once.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

from harness.capture.export import Export
from harness.collector.tls import Tls
from harness.mutants import editing
from harness.otlp.codec import decode_request, encode
from harness.otlp.errors import DecodeError
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal
from harness.otlp.responses import error_body, partial_success_body, success_body
from harness.relay.client import EXPORT_METHODS
from harness.relay.endpoint import ClientTls, Endpoint

LIMIT = 64 * 1024 * 1024
TOKEN = "Bearer right"
PATHS = {f"/v1/{signal}": signal for signal in Signal}
ENCODINGS = {encoding.value: encoding for encoding in Encoding}
PROTOCOLS = {
    Encoding.PROTOBUF: Protocol.HTTP_PROTOBUF,
    Encoding.JSON: Protocol.HTTP_JSON,
}
INFLATE = {"gzip": 31, "deflate": 15}


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    closes: bool = False


class Refusal(Exception):  # noqa: N818 - an answer
    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


#: What a faulty server answers to a POST; None closes the connection without an answer.
Fault = Callable[["Behaviour", str, Mapping[str, str], bytes], Reply | None]


@dataclass
class Behaviour:
    """What a server does: every rule is kept, but for the fault that it may have.

    One with ``tls`` asks clients for the certificate ``shown``. A ``lenient`` one takes odd items.
    """

    fault: Fault | None = None
    password: bool = True
    tls: Tls | None = None
    shown: ClientTls | None = None
    lenient: bool = False
    exports: list[Export] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        return (self.fault or Behaviour.post)(self, path, headers, body)

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request by the rules."""
        media_type = headers.get("content-type", "").partition(";")[0]
        encoding = ENCODINGS.get(media_type)
        try:
            signal = self.admitted(path, encoding, headers)
            assert encoding is not None
            content = self.unpacked(headers.get("content-encoding", ""), body)
            good, rejected = self.sifted(signal, encoding, content)
            self.forward(signal, PROTOCOLS[encoding], good)
        except Refusal as refusal:
            return self.refused(refusal.status, encoding or Encoding.JSON, str(refusal))
        return Reply(200, encoding.value, self.accepted(signal, encoding, rejected))

    def admitted(self, path: str, encoding: Encoding | None, headers: Mapping[str, str]) -> Signal:
        if self.password and headers.get("authorization") != TOKEN:
            raise Refusal(401, "who is it?")
        if path not in PATHS:
            raise Refusal(404, "no such path")
        if encoding is None:
            raise Refusal(415, "no such media type")
        return PATHS[path]

    def unpacked(self, coding: str, body: bytes) -> bytes:
        if coding:
            if coding not in INFLATE:
                raise Refusal(415, "no such encoding")
            stream = zlib.decompressobj(INFLATE[coding])
            try:
                body = stream.decompress(body, LIMIT + 1)
            except zlib.error as error:
                raise Refusal(400, str(error)) from None
            if len(body) <= LIMIT and not stream.eof:
                raise Refusal(400, "cut off")
        if len(body) > LIMIT:
            raise Refusal(413, "too large")
        return body

    def sifted(self, signal: Signal, encoding: Encoding, content: bytes) -> tuple[bytes, int]:
        """Return the request without points that have no time and spans without ids."""
        try:
            message: Any = decode_request(signal, encoding, content).message
        except DecodeError as error:
            raise Refusal(400, str(error)) from None
        rejected = 0
        for ref in () if self.lenient else list(editing.item_refs(message)):
            view = ref.item.view
            if view.get("time_unix_nano", 1) == 0 or (signal == "traces" and not view["trace_id"]):
                editing.remove(ref)
                rejected += 1
        return (encode(message, encoding) if rejected else content), rejected

    def accepted(self, signal: Signal, encoding: Encoding, rejected: int) -> bytes:
        if not rejected:
            return success_body(signal, encoding)
        return partial_success_body(signal, encoding, rejected, "neither a time nor ids")

    def refused(self, status: int, encoding: Encoding, message: str) -> Reply:
        return Reply(status, encoding.value, error_body(encoding, 3, message))

    def forward(self, signal: Signal, protocol: Protocol, content: bytes) -> None:
        with self.lock:
            self.exports.append(
                Export(
                    sequence=len(self.exports) + 1,
                    protocol=protocol,
                    signal=signal,
                    method="POST",
                    path=f"/v1/{signal}",
                    http_version="1.1",
                    headers=(),
                    body=content,
                    arrived_unix_nano=1,
                    peer="",
                    status=200,
                    collector="grpc" if protocol is Protocol.GRPC else "http",
                )
            )

    def call(self, signal: Signal, message: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        if self.password and metadata.get("authorization") != TOKEN:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who is it?")
        try:
            good, rejected = self.sifted(signal, Encoding.PROTOBUF, message)
        except Refusal as refusal:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        self.forward(signal, Protocol.GRPC, good)
        return self.accepted(signal, Encoding.PROTOBUF, rejected)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: Behaviour

    def do_POST(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.behaviour.answer(self.path, headers, body)
        if reply is None:
            self.close_connection = True
        else:
            self._reply(reply)

    def do_GET(self) -> None:
        self._body()
        media_type = self.headers.get("Content-Type", "")
        self._reply(
            self.behaviour.refused(405, ENCODINGS.get(media_type, Encoding.JSON), "no such method")
        )

    do_PUT = do_GET  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextlib.contextmanager
def http_server(behaviour: Behaviour, port: int = 0) -> Iterator[Endpoint]:
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    with _Server(("127.0.0.1", port), handler) as server:
        if behaviour.tls is not None:
            # The handshake is a matter of the connection's own thread.
            server.socket = behaviour.tls.context().wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield _endpoint("http", server.server_address[1], behaviour)
        finally:
            server.shutdown()
            thread.join(10)


@contextlib.contextmanager
def grpc_server(behaviour: Behaviour, port: int = 0) -> Iterator[Endpoint]:
    signals = {method: signal for signal, method in EXPORT_METHODS.items()}

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[type-arg] # generic in the stubs only
        def service(self, details: Any) -> Any:
            signal = signals.get(details.method)
            if signal is None:
                return None
            return grpc.unary_unary_rpc_method_handler(
                lambda message, context: behaviour.call(signal, message, context)
            )

    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(
            threads, [Handlers()], options=[("grpc.max_receive_message_length", LIMIT)]
        )
        place = f"127.0.0.1:{port}"
        if behaviour.tls is None:
            port = server.add_insecure_port(place)
        else:
            port = server.add_secure_port(place, behaviour.tls.credentials())
        server.start()
        try:
            yield _endpoint("grpc", port, behaviour)
        finally:
            server.stop(0).wait(10)


def _endpoint(transport: Any, port: int, behaviour: Behaviour) -> Endpoint:
    headers = (("authorization", TOKEN),) if behaviour.password else ()
    return Endpoint(transport, "127.0.0.1", port, tls=behaviour.shown, headers=headers)
