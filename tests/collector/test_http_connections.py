"""OTLP/HTTP byte by byte: what a connection carries from request to request, and how it breaks."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from contextlib import closing

import pytest
from google.rpc.status_pb2 import Status
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness import Collector
from harness.collector import http_app
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal
from harness.serving.connection import HEAD_BYTES
from tests.collector.answers import whole_answer

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
    with socket.create_connection(address(collector), timeout=60) as client:
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
    with closing(http.client.HTTPConnection(*address(collector), timeout=60)) as client:
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
    export = collector.wait_for_item(lambda export: export, 60)
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
    with socket.create_connection(address(collector), timeout=60) as client:
        client.sendall(GOOD)
        assert whole_answer(client) == (200, b"{}")
        client.sendall(b"\x00\x01\x02")
        assert whole_answer(client)[0] == 400
    first, second = collector.exports
    assert (first.path, first.status) == ("/v1/logs", 200)
    assert (second.path, second.headers, second.status) == ("", (), 400)


def test_what_came_before_garbage_is_answered_first(collector: Collector) -> None:
    answers = talk(collector, GOOD + GOOD + GOOD + b"\x00\x01\x02")
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"HTTP/1.1 400 Bad Request") == 1
    assert answers.index(b"HTTP/1.1 400") > answers.rindex(b"HTTP/1.1 200")
    assert [export.status for export in collector.exports] == [200, 200, 200, 400]


@pytest.mark.parametrize("media_type", [JSON, PROTOBUF])
def test_broken_http_is_answered_in_its_own_encoding(collector: Collector, media_type: str) -> None:
    answer = talk(
        collector,
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnonsense\r\n" % media_type.encode(),
    )
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"content-type: " + media_type.encode() in head
    message = (
        json.loads(content)["message"] if media_type == JSON else Status.FromString(content).message
    )
    assert message == "no HTTP request: Invalid character in chunk size"
    export = collector.wait_for_item(lambda export: export, 60)
    assert export.rejected == message


HEAD = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /%s HTTP/1.1\r\n" % (b"x" * HEAD_BYTES),
        HEAD + b"X-Long: %s\r\n" % (b"x" * HEAD_BYTES),
        HEAD + b"X: \r\n" * (HEAD_BYTES // 32),
    ],
    ids=["line", "header", "headers"],
)
def test_a_head_over_the_limit_is_refused_and_recorded(collector: Collector, head: bytes) -> None:
    head_of_it, _, content = talk(collector, head + b"\r\n").partition(b"\r\n\r\n")
    assert head_of_it.startswith(b"HTTP/1.1 431 ")
    (export,) = collector.exports
    assert (export.status, export.over_limit) == (431, True)
    assert export.rejected == f"request line and headers of more than {HEAD_BYTES} bytes"
    assert export.rejected in content.decode()
    assert talk(collector, LAST).startswith(b"HTTP/1.1 200 ")


def test_a_large_head_passes(collector: Collector) -> None:
    padding = b"X-Long: %s\r\n" % (b"x" * (HEAD_BYTES - 1000))
    raw = LAST.replace(b"Host: x\r\n", b"Host: x\r\n" + padding)
    assert talk(collector, raw).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("start", [b"POST /", HEAD + b"X: "], ids=["line", "header"])
def test_an_endless_head_is_cut_off(collector: Collector, start: bytes) -> None:
    with socket.create_connection(address(collector), timeout=60) as client:
        client.sendall(start)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 8 * HEAD_BYTES:
                client.sendall(b"x" * HEAD_BYTES)
                sent += HEAD_BYTES
    export = collector.wait_for_item(lambda export: export, 60)
    assert (export.status, export.over_limit) == (431, True)


def test_what_waits_for_its_turn_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read from a connection while requests of it wait, whatever was answered.

    With a responder: without one, none of these requests would wait for its turn.
    """
    waiting: list[int] = []
    complete = HttpToolsProtocol.on_response_complete

    def count(self: HttpToolsProtocol) -> None:
        waiting.append(len(self.pipeline))
        complete(self)

    monkeypatch.setattr(HttpToolsProtocol, "on_response_complete", count)
    with (
        Collector(responder=lambda export: None) as collector,
        socket.create_connection(address(collector)) as client,
    ):
        sending = threading.Thread(target=send_until_it_is_closed, args=(client, GOOD * 50_000))
        sending.start()
        collector.wait_for(lambda exports: len(exports) > 3000, 60)
        client.shutdown(socket.SHUT_RDWR)
        sending.join()
    # What is read at once from a connection are 256 KiB.
    assert 1 < max(waiting) < 2 * 256 * 1024 / len(GOOD)


def send_until_it_is_closed(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        client.sendall(data)


def test_bodies_that_never_end_are_bounded(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_app, "MOST_UNFINISHED_BYTES", 1_000_000)
    begun = HEAD + b"Content-Length: 900000\r\n\r\n" + b" " * 600_000
    with contextlib.ExitStack() as open_:
        clients = [
            open_.enter_context(socket.create_connection(address(collector), timeout=60))
            for _ in range(2)
        ]
        for client in clients:
            client.sendall(begun)
        export = collector.wait_for_item(lambda export: export, 60)
        assert (export.status, export.over_limit) == (503, True)
        assert "more than 1000000 bytes of unfinished bodies" in export.rejected
    collector.wait_for(lambda exports: len(exports) == 2, 60, "the end of both")
    # What both held is free again.
    assert talk(collector, begun.replace(b"Host", b"Connection: close\r\nHost") + b" " * 300_000)
    assert collector.exports[-1].status == 400, "blank, and read to its end"


def test_broken_chunks_are_recorded_once(collector: Collector) -> None:
    answer = talk(
        collector,
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnonsense\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 400")
    export = collector.wait_for_item(lambda export: export, 60)
    assert export.status == 400
    assert export.signal is Signal.LOGS
    assert export.rejected
    assert len(collector.exports) == 1


def test_expect_100_continue(collector: Collector) -> None:
    with socket.create_connection(address(collector), timeout=60) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert whole_answer(client)[0] == 200
