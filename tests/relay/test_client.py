"""The senders tell what was answered, and raise for nothing that the peer does."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from harness.collector.answer import CollectorResponse
from harness.collector.collector import Collector
from harness.collector.tls import Tls
from harness.otlp.model import Protocol, Signal
from harness.relay.answer import Answer
from harness.relay.client import EXPORT_METHODS, GrpcClient, HttpClient
from harness.relay.endpoint import ClientTls, Endpoint
from harness.relay.senders import send_half_closed, send_pipelined, send_slowly
from harness.relay.wire import request_bytes
from harness.running.drive import closed_port

JSON = (("Content-Type", "application/json"),)
LOGS = EXPORT_METHODS[Signal.LOGS]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def http(collector: Collector) -> Endpoint:
    return Endpoint("http", "127.0.0.1", collector.http_port, headers=(("X-Key", "k"),))


@pytest.fixture
def grpc(collector: Collector) -> Endpoint:
    return Endpoint("grpc", "127.0.0.1", collector.grpc_port, headers=(("X-Key", "k"),))


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """A server that does to its one connection what ``serve`` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield Endpoint("http", "127.0.0.1", listener.getsockname()[1])
        listener.close()
        thread.join(10)


def asked(serve: Callable[[socket.socket], None], timeout_s: float = 60) -> Answer:
    with serving(serve) as endpoint, HttpClient(endpoint) as client:
        return client.send("/v1/logs", b"{}", JSON, timeout_s=timeout_s)


def test_an_answer_over_http(collector: Collector, http: Endpoint) -> None:
    with HttpClient(http) as client:
        answer = client.send("/v1/logs", b"{}", JSON)
    assert (answer.status, answer.body, answer.error) == (200, b"{}", "")
    assert answer.header("content-TYPE") == "application/json"
    assert answer.header("x-none") is None
    (export,) = collector.exports
    assert (export.protocol, export.body) == (Protocol.HTTP_JSON, b"{}")
    assert export.header("x-key") == "k"


def test_a_connection_is_kept_and_a_refusal_is_an_answer(http: Endpoint) -> None:
    with HttpClient(http) as client:
        first = client.send("/v1/logs", b"{", JSON)
        second = client.send("/v1/logs", b"{}", JSON)
    assert (first.status, first.reused, first.error) == (400, False, "")
    assert (second.status, second.reused) == (200, True)


def test_chunks_and_no_body_at_all(collector: Collector, http: Endpoint) -> None:
    with HttpClient(http) as client:
        chunked = client.send("/v1/logs", b'{"a": 1}', JSON, chunk_bytes=3)
        empty = client.send(
            "/v1/logs", b"", [("Content-Type", "application/x-protobuf")], chunk_bytes=3
        )
        got = client.send("/v1/logs", None, method="GET")
    assert [chunked.status, empty.status, got.status] == [200, 200, 405]
    first, second, third = collector.exports
    assert (first.body, first.header("content-length")) == (b'{"a": 1}', None)
    assert (second.body, second.header("transfer-encoding")) == (b"", "chunked")
    assert (third.header("content-length"), third.header("transfer-encoding")) == (None, None)


def test_the_base_path_and_anonymous_requests(collector: Collector) -> None:
    endpoint = Endpoint(
        "http", "127.0.0.1", collector.http_port, "/base", headers=(("X-Key", "k"),)
    )
    with HttpClient(endpoint) as client:
        assert client.send("/v1/logs", b"{}", JSON, anonymous=True).status == 404
    (export,) = collector.exports
    assert (export.path, export.header("x-key")) == ("/base/v1/logs", None)


def test_an_answer_before_the_body_is_out(http: Endpoint) -> None:
    with HttpClient(http) as client:
        answer = client.send("/v1/logs", bytes(65 * 1024 * 1024), JSON)
        assert (answer.status, answer.error) == (413, "")


def test_a_peer_that_answers_and_reads_no_further() -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        ended.wait(120)

    with serving(serve) as endpoint, HttpClient(endpoint) as client:
        answer = client.send("/v1/logs", bytes(30 * 1024 * 1024), JSON, timeout_s=60)
        ended.set()
    assert (answer.status, answer.error) == (413, "")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "the answer is no HTTP/1.1: peer"),
        (b"garbage\r\n\r\n", "the answer is no HTTP/1.1: illegal status line"),
    ],
    ids=["nothing", "cut off", "garbage"],
)
def test_no_whole_answer(said: bytes, error: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    answer = asked(serve)
    assert answer.status is None
    assert answer.error.startswith(error)
    assert not answer.timed_out


def test_an_answer_that_ends_with_the_connection() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}")

    answer = asked(serve)
    assert (answer.status, answer.body, answer.error) == (200, b"{}", "")


def test_a_reset() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1)  # or the client might be reset while it still connects
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert asked(serve).error.startswith("broken off")


def test_a_peer_that_hangs() -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 ")
        ended.wait(120)

    with serving(serve) as endpoint, HttpClient(endpoint) as client:
        answer = client.send("/v1/logs", b"{}", JSON, timeout_s=2)
        ended.set()
    assert (answer.status, answer.error) == (None, "no whole answer within 2 s")
    assert answer.timed_out
    assert answer.seconds >= 2


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_nobody_listens(transport: str) -> None:
    with closed_port() as port:
        if transport == "http":
            endpoint = Endpoint("http", "127.0.0.1", port)
            with HttpClient(endpoint) as client:
                answer = client.send("/v1/logs", b"{}", JSON)
            request = request_bytes(endpoint, "POST", "/v1/logs", JSON, b"{}")
            assert send_slowly(endpoint, request).error == answer.error
            assert send_half_closed(endpoint, request).error == answer.error
            assert [each.error for each in send_pipelined(endpoint, [request])] == [answer.error]
        else:
            with GrpcClient(Endpoint("grpc", "127.0.0.1", port)) as client:
                answer = client.call(LOGS, b"")
    assert (answer.status, answer.code) == (None, "")
    assert "Connection refused" in answer.error


def test_an_answer_over_grpc(collector: Collector, grpc: Endpoint) -> None:
    with GrpcClient(grpc) as client:
        plain = client.call(LOGS, b"", [("Other", "x")])
        compressed = client.call(LOGS, b"", compressed=True, anonymous=True)
        broken = client.call(LOGS, b"\xff")
        unknown = client.call("/some.Service/Export", b"")
    assert (plain.code, plain.body, plain.error) == ("OK", b"", "")
    assert compressed.code == "OK"
    assert broken.code == "INVALID_ARGUMENT"
    assert "wire format" in broken.details.lower()
    assert (unknown.code, unknown.error) == ("UNIMPLEMENTED", "")
    first, second, *_ = collector.exports
    assert (first.header("x-key"), first.header("other")) == ("k", "x")
    assert second.header("x-key") is None


def test_what_a_server_says_is_told_from_a_broken_connection() -> None:
    away = CollectorResponse(
        grpc_code=14, message="the downstream: connection refused", headers=(("why", "so"),)
    )
    with Collector(responder=lambda _: away) as collector:
        with GrpcClient(Endpoint("grpc", "127.0.0.1", collector.grpc_port)) as client:
            answer = client.call(LOGS, b"")
        with GrpcClient(Endpoint("grpc", "127.0.0.1", collector.http_port)) as client:
            other = client.call(LOGS, b"")
    assert (answer.code, answer.error) == ("UNAVAILABLE", "")
    assert answer.details == "the downstream: connection refused"
    assert ("why", "so") in answer.trailers
    assert (other.code, other.timed_out) == ("", False)
    assert other.error.startswith("no answer: ")


def test_grpc_with_a_peer_that_hangs() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        GrpcClient(Endpoint("grpc", "127.0.0.1", listener.getsockname()[1])) as client,
    ):
        answer = client.call(LOGS, b"", timeout_s=1)
    assert (answer.code, answer.error) == ("", "no answer within 1 s")
    assert answer.timed_out


def test_slowly_half_closed_and_pipelined(collector: Collector, http: Endpoint) -> None:
    requests = [
        request_bytes(http, "POST", "/v1/logs", JSON, b'{"a": %d}' % number) for number in range(4)
    ]
    slow = send_slowly(http, requests[0], pieces=4, pause_s=0.05)
    half = send_half_closed(http, requests[1])
    both = send_pipelined(http, requests[2:])
    assert [slow.status, half.status, *(each.status for each in both)] == [200] * 4
    assert slow.seconds >= 0.15
    assert [each.reused for each in both] == [False, True]
    assert [export.body for export in collector.exports] == [
        b'{"a": %d}' % number for number in range(4)
    ]


def test_no_answer_follows_one_that_did_not_come() -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        ended.wait(120)

    with serving(serve) as endpoint:
        request = request_bytes(endpoint, "POST", "/v1/logs", JSON, b"{}")
        answers = send_pipelined(endpoint, [request] * 3, timeout_s=2)
        ended.set()
    assert [answer.error for answer in answers] == ["no whole answer within 2 s"] * 3


def test_threads_share_a_client(collector: Collector, http: Endpoint) -> None:
    with HttpClient(http) as client, ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: client.send("/v1/logs", b'{"a":%d}' % n, JSON), range(40))
        )
    assert {answer.status for answer in answers} == {200}
    assert len(collector.exports) == 40


def test_tls_with_a_client_certificate() -> None:
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert(common_name="me")
    ca = authority.cert_pem.bytes()
    settings = Tls(server.cert_chain_pems[0].bytes(), server.private_key_pem.bytes(), ca)
    tls = ClientTls(ca, client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes())
    with Collector(tls=settings) as collector:
        http = Endpoint("http", "127.0.0.1", collector.http_port, tls=tls)
        with HttpClient(http) as sender:
            assert sender.send("/v1/logs", gzip.compress(b"{}"), JSON).status == 400
            assert sender.send("/v1/logs", b"{}", JSON).reused
        with GrpcClient(Endpoint("grpc", "127.0.0.1", collector.grpc_port, tls=tls)) as caller:
            assert caller.call(LOGS, b"").code == "OK"
        with HttpClient(Endpoint("http", "127.0.0.1", collector.http_port, tls=ClientTls())) as no:
            assert "certificate verify failed" in no.send("/v1/logs", b"{}", JSON).error
        request = request_bytes(http, "POST", "/v1/logs", JSON, b"{}")
        with pytest.raises(ValueError, match="half of a TLS connection"):
            send_half_closed(http, request)
    assert {export.peer_certificate for export in collector.exports} == {"me"}
