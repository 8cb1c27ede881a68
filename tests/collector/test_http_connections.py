"""OTLP/HTTP byte by byte: what a connection carries from request to request, and how it breaks."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing

import pytest

from harness import Collector
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal

PROTOBUF = Encoding.PROTOBUF.value
JSON = Encoding.JSON.value
#: A whole request, after which the connection stays open.
GOOD = (
    b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}"
)
#: The same, after which the server hangs up.
LAST = GOOD.replace(b"Host: x", b"Host: x\r\nConnection: close")


def address(collector: Collector) -> tuple[str, int]:
    host, _, port = collector.http_endpoint.removeprefix("http://").rpartition(":")
    return host, int(port)


def talk(collector: Collector, raw: bytes) -> bytes:
    """Send bytes and read until the server hangs up."""
    with socket.create_connection(address(collector), timeout=30) as client:
        client.sendall(raw)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_transport_facts_are_kept(collector: Collector) -> None:
    raw = (
        b"POST /v1/metrics?tenant=a%20b HTTP/1.0\r\nHost: collector\r\nUser-Agent: one\r\n"
        b"X-Twice: a\r\nX-Twice: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        b"Connection: close\r\nAccept: */*\r\n\r\n{}"
    )
    assert talk(collector, raw).startswith(b"HTTP/1.1 200")
    (export,) = collector.exports
    assert export.method == "POST"
    assert export.path == "/v1/metrics?tenant=a%20b"
    assert export.http_version == "1.0"
    assert export.headers == (
        ("host", "collector"),
        ("user-agent", "one"),
        ("x-twice", "a"),
        ("x-twice", "b"),
        ("content-type", "application/json"),
        ("content-length", "2"),
        ("connection", "close"),
        ("accept", "*/*"),
    )
    assert export.peer.startswith("127.0.0.1:")
    assert export.sequence == 1


def test_connections_are_kept_alive(collector: Collector) -> None:
    requests = [
        (PROTOBUF, b"", 200),
        (JSON, b"{}", 200),
        ("text/plain", b"{}", 415),
        (PROTOBUF, b"", 200),
    ]
    with closing(http.client.HTTPConnection(*address(collector), timeout=30)) as client:
        client.connect()
        port = client.sock.getsockname()[1]
        for content_type, sent, status in requests:
            client.request("POST", "/v1/traces", sent, {"Content-Type": content_type})
            response = client.getresponse()
            response.read()
            assert response.status == status
            assert client.sock is not None, "the server hung up"
    assert {export.peer for export in collector.exports} == {f"127.0.0.1:{port}"}
    assert len(collector.exports) == 4


def test_pipelined_requests_are_answered_in_turn(collector: Collector) -> None:
    last = LAST.replace(b"/logs", b"/traces")
    answers = talk(collector, GOOD + GOOD + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    seen = [export.signal for export in collector.exports]
    assert seen == [Signal.LOGS, Signal.LOGS, Signal.TRACES]


def test_a_request_without_a_length_has_no_body(collector: Collector) -> None:
    answer = talk(
        collector,
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Connection: close\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    (export,) = collector.exports
    assert (export.body, export.header("content-length")) == (b"", None)


def test_an_aborted_body_is_recorded(collector: Collector) -> None:
    with socket.create_connection(address(collector)) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{half"
        )
    export = collector.wait_for_item(lambda export: export, 30)
    assert "connection ended inside the body" in export.rejected
    assert (export.body, export.status) == (b"{half", 0)
    assert (export.signal, export.protocol) == (Signal.LOGS, Protocol.HTTP_JSON)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        (b"POST /v1/logs HTTP/1.1\r\nHost x\r\n\r\n", "/v1/logs"),
        (b"POST /v1/logs HTTP/1.1\r\nContent-Length: many\r\n\r\n", "/v1/logs"),
    ],
    ids=["TLS", "HTTP/2", "header", "length"],
)
def test_what_is_not_http_is_answered_and_recorded(
    collector: Collector, raw: bytes, path: str | None
) -> None:
    answer = talk(collector, raw)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    message = json.loads(content)["message"]
    (export,) = collector.exports
    assert (export.status, export.rejected) == (400, message)
    assert path is None or export.path == path
    assert talk(collector, LAST).startswith(b"HTTP/1.1 200 ")


def test_garbage_after_a_good_request_is_a_request_of_its_own(collector: Collector) -> None:
    with socket.create_connection(address(collector), timeout=30) as client:
        client.sendall(GOOD)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.sendall(b"\x00\x01\x02")
        assert client.recv(65536).startswith(b"HTTP/1.1 400")
    first, second = collector.exports
    assert (first.path, first.status) == ("/v1/logs", 200)
    assert (second.path, second.headers, second.status) == ("", (), 400)


def test_broken_chunks_are_recorded_once(collector: Collector) -> None:
    answer = talk(
        collector,
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnonsense\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 400")
    export = collector.wait_for_item(lambda export: export, 30)
    assert export.status == 400
    assert export.signal is Signal.LOGS
    assert export.rejected
    assert len(collector.exports) == 1


def test_expect_100_continue(collector: Collector) -> None:
    with socket.create_connection(address(collector), timeout=30) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
