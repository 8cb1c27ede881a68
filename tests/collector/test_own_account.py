"""What the server does on its own account never loses an export, and never invents one."""

from __future__ import annotations

import socket
import ssl

import grpc
import pytest

from harness import Collector
from harness.otlp.messages import Encoding
from harness.otlp.model import Signal
from tests.collector.conftest import Body
from tests.collector.test_http_connections import GOOD, LAST, address, talk

H2C = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("offer", [H2C, H2C.replace(b"h2c", b"websocket")])
@pytest.mark.parametrize("step", [1, 1 << 20], ids=["byte by byte", "at once"])
def test_an_offered_upgrade_is_ignored(
    collector: Collector, body: Body, encoding: Encoding, offer: bytes, step: int
) -> None:
    sent = body(Signal.LOGS, encoding)
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    raw = head % (offer, encoding.value.encode(), len(sent)) + sent
    with socket.create_connection(address(collector), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(raw), step):
            client.sendall(raw[at : at + step])
        client.sendall(LAST)
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200") == answers.count(b"HTTP/1.1") == 2
    first, _ = collector.exports
    assert first.body == sent
    assert ("upgrade", offer.split(b"Upgrade: ")[1].split(b"\r\n")[0].decode()) in first.headers
    assert len(first.headers) == 6


def test_chunks_after_an_offered_upgrade(collector: Collector) -> None:
    head = LAST.replace(b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n")
    head = head.replace(b"Connection: close", b"Connection: close, Upgrade\r\nUpgrade: h2c")
    assert talk(collector, head + b"\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n").count(b"HTTP/1.1 200") == 1
    (export,) = collector.exports
    assert export.body == b"{}"


def test_trailers_are_no_headers(collector: Collector) -> None:
    head = LAST.replace(b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n")
    trailers = b"Content-Type: text/plain\r\nExpect: 100-continue\r\nX-Sum: 1\r\n\r\n"
    assert talk(collector, head + b"2\r\n{}\r\n0\r\n" + trailers).startswith(b"HTTP/1.1 200")
    (export,) = collector.exports
    assert export.body == b"{}"
    assert {name for name, _ in export.headers}.isdisjoint({"x-sum", "expect"})


def test_an_expectation_that_nobody_knows_changes_nothing(collector: Collector) -> None:
    raw = LAST.replace(b"Host: x", b"Host: x\r\nExpect: the unexpected")
    assert talk(collector, raw).startswith(b"HTTP/1.1 200")
    (export,) = collector.exports
    assert export.body == b"{}"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_answered_though_the_connection_ends(
    small: Collector, chunked: bool
) -> None:
    """The client sends all before it reads: a reset would be tried again, and a 413 is not."""
    size = 8_000_000
    head = LAST.partition(b"Content-Length")[0]
    if chunked:
        part = b"%x\r\n%s\r\n" % (size, b"x" * size)
        raw = head + b"Transfer-Encoding: chunked\r\n\r\n" + part + b"0\r\n\r\n"
    else:
        raw = head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    for _ in range(3):
        assert talk(small, raw).startswith(b"HTTP/1.1 413")
    assert [export.status for export in small.exports] == [413] * 3


def test_http_2_is_called_by_its_name(collector: Collector) -> None:
    target = collector.http_endpoint.removeprefix("http://")
    with grpc.insecure_channel(target) as channel:
        export = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(export)(b"", timeout=60)  # type: ignore[call-arg]
    seen = collector.exports[0]
    port = collector.grpc_endpoint.rpartition(":")[2]
    assert seen.rejected == (
        "HTTP/2, which gRPC is spoken over: expected HTTP/1.1; gRPC is taken at port " + port
    )


def test_tls_is_called_by_its_name(collector: Collector) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(address(collector), timeout=60) as client,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(client, server_hostname="localhost")
    seen = collector.wait_for(lambda exports: exports or None, 60)
    assert seen[0].rejected == "TLS, to a port without it: expected HTTP/1.1"


def test_what_is_good_stays_good(collector: Collector) -> None:
    assert talk(collector, GOOD + LAST).count(b"HTTP/1.1 200") == 2
