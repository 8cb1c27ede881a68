"""What a collector answers is told, and for nothing that it does anything is raised."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import trustme

from harness import Collector
from harness.collector.tls import Tls
from harness.load import channels
from harness.load.channels import channel_to
from harness.otlp.model import Protocol, Signal
from harness.relay.answer import Answer
from harness.relay.endpoint import ClientTls, Endpoint
from harness.relay.sending import refusal
from harness.running.drive import closed_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def sent(endpoint: Endpoint, protocol: Protocol, times: int = 1) -> list[Answer]:
    """Send so many empty requests on one channel, and return the answers."""

    async def send() -> list[Answer]:
        channel = channel_to(endpoint, protocol)
        try:
            return [await channel.send(Signal.LOGS, b"") for _ in range(times)]
        finally:
            await channel.close()

    return asyncio.run(send())


def over(endpoint: Endpoint, protocol: Protocol, grpc_port: int) -> Endpoint:
    """The endpoint itself, or that of gRPC beside it."""
    if protocol is not Protocol.GRPC:
        return endpoint
    return Endpoint("grpc", endpoint.host, grpc_port, headers=endpoint.headers)


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], None], connections: int = 1) -> Iterator[Endpoint]:
    """A server that does to each of its connections what ``serve`` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                for _ in range(connections):
                    connection, _ = listener.accept()
                    with connection:
                        serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield Endpoint("http", "127.0.0.1", listener.getsockname()[1])
        listener.close()
        thread.join(10)


def answering(*answers: bytes) -> Callable[[socket.socket], None]:
    """Answer as many requests as there are answers, then close."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            connection.sendall(answer)

    return serve


@pytest.mark.parametrize("protocol", Protocol)
def test_requests_share_a_connection_and_carry_headers(protocol: Protocol) -> None:
    with Collector() as collector:
        endpoint = Endpoint("http", "127.0.0.1", collector.http_port, headers=(("X-Key", "k"),))
        answers = sent(over(endpoint, protocol, collector.grpc_port), protocol, 3)
    # Nothing is a message, and is no JSON.
    expected = {Protocol.GRPC: (None, "OK"), Protocol.HTTP_JSON: (400, "")}
    assert {(each.status, each.code) for each in answers} == {expected.get(protocol, (200, ""))}
    assert [each.reused for each in answers] == [False, True, True]
    assert {each.header("x-key") for each in collector.exports} == {"k"}
    assert {each.path for each in collector.exports} == {
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        if protocol is Protocol.GRPC
        else "/v1/logs"
    }


def test_tls_with_a_client_certificate() -> None:
    authority = trustme.CA()
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert(common_name="me")
    ca = authority.cert_pem.bytes()
    settings = Tls(server.cert_chain_pems[0].bytes(), server.private_key_pem.bytes(), ca)
    tls = ClientTls(ca, client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes())
    with Collector(tls=settings) as collector:
        http = Endpoint("http", "127.0.0.1", collector.http_port, tls=tls)
        grpc = Endpoint("grpc", "127.0.0.1", collector.grpc_port, tls=tls)
        assert sent(http, Protocol.HTTP_PROTOBUF)[0].status == 200
        assert sent(grpc, Protocol.GRPC)[0].code == "OK"
        strangers = Endpoint("http", "127.0.0.1", collector.http_port, tls=ClientTls())
        (refused,) = sent(strangers, Protocol.HTTP_PROTOBUF)
    assert "certificate verify failed" in refused.error
    assert {export.peer_certificate for export in collector.exports} == {"me"}


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP_PROTOBUF])
def test_nobody_is_there(protocol: Protocol) -> None:
    with closed_port() as port:
        endpoint = Endpoint("http", "127.0.0.1", port)
        (answer,) = sent(over(endpoint, protocol, endpoint.port), protocol)
    assert "connect" in answer.error
    assert refusal(answer) == answer.error


def test_a_connection_that_the_collector_closes_is_opened_again() -> None:
    """With and without a word about it."""
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serving(answering(closing), connections=2) as endpoint:
        answers = sent(endpoint, Protocol.HTTP_PROTOBUF, 2)
    assert [(each.status, each.reused) for each in answers] == [(200, False), (200, False)]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((b"",), "closed without a whole answer"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal",), "closed without a whole answer"),
        ((b"no HTTP\r\n\r\n",), "the answer is no HTTP/1.1"),
    ],
    ids=["nothing", "half", "noise"],
)
def test_an_answer_that_is_not_whole_is_none(answers: tuple[bytes, ...], error: str) -> None:
    with serving(answering(*answers)) as endpoint:
        (answer,) = sent(endpoint, Protocol.HTTP_PROTOBUF)
    assert answer.status is None
    assert answer.error.startswith(error)
    assert not answer.timed_out


def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "TIMEOUT_S", 2.0)
    ended = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        ended.wait(60)

    with serving(say_nothing) as endpoint:
        (answer,) = sent(endpoint, Protocol.HTTP_PROTOBUF)
        ended.set()
    assert answer.error == "no whole answer within 2 s"
    assert answer.timed_out


def test_headers_and_body_of_an_answer_are_told() -> None:
    told = b"HTTP/1.1 200 OK\r\nX-Told: yes\r\nContent-Length: 2\r\n\r\n{}"
    with serving(answering(told)) as endpoint:
        (answer,) = sent(endpoint, Protocol.HTTP_JSON)
    assert (answer.status, answer.body, answer.header("x-told")) == (200, b"{}", "yes")


def test_headers_and_body_of_a_refusal_are_told() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = b"HTTP/1.1 100 Continue\r\n\r\n" + busy + b"2\r\nno\r\n1\r\nt\r\n0\r\n\r\n"
    with serving(answering(parts)) as endpoint:
        (answer,) = sent(endpoint, Protocol.HTTP_PROTOBUF)
    assert (answer.status, answer.body) == (503, b"not")
    assert answer.header("retry-after") == "3"
