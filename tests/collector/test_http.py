"""OTLP/HTTP with plain clients: what the specification says, request by request."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from harness import Collector, CollectorResponse, Export
from harness.otlp.messages import RESPONSES, Encoding
from harness.otlp.model import Protocol, Signal

PROTOBUF = Encoding.PROTOBUF.value
JSON = Encoding.JSON.value
#: ``body(signal, encoding, padding=0)``: an export request with a resource and no items.
Body = Callable[..., bytes]

PROTOCOLS = {PROTOBUF: Protocol.HTTP_PROTOBUF, JSON: Protocol.HTTP_JSON}


def address(collector: Collector) -> tuple[str, int]:
    host, _, port = collector.http_endpoint.removeprefix("http://").rpartition(":")
    return host, int(port)


def connect(collector: Collector) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(*address(collector), timeout=30)


def send(
    collector: Collector,
    body: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/v1/metrics",
    **more: Any,
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request on a connection of its own; answers (response, its body)."""
    with closing(connect(collector)) as client:
        client.request(method, path, body, headers or {}, **more)
        response = client.getresponse()
        return response, response.read()


def said(response: http.client.HTTPResponse, content: bytes) -> str:
    """The message of a google.rpc.Status body, in the encoding that the headers name."""
    if response.headers["content-type"] == JSON:
        message: str = json.loads(content)["message"]
        return message
    assert response.headers["content-type"] == PROTOBUF
    return str(Status.FromString(content).message)


def talk(collector: Collector, raw: bytes) -> bytes:
    """Send bytes and read until the server hangs up."""
    with socket.create_connection(address(collector), timeout=30) as client:
        client.sendall(raw)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("signal", list(Signal))
@pytest.mark.parametrize("encoding", list(Encoding))
def test_success_is_answered_in_the_encoding_of_the_request(
    collector: Collector, body: Body, signal: Signal, encoding: Encoding
) -> None:
    sent = body(signal, encoding)
    response, content = send(
        collector, sent, {"Content-Type": encoding.value}, path=f"/v1/{signal.value}"
    )
    assert response.status == 200
    assert response.headers["content-type"] == encoding.value
    if encoding is Encoding.JSON:
        assert json.loads(content) == {}
    else:
        assert content == RESPONSES[signal]().SerializeToString() == b""
    (export,) = collector.exports
    assert export.body == sent
    assert (export.signal, export.protocol) == (signal, PROTOCOLS[encoding.value])
    assert (export.status, export.rejected) == (200, "")
    assert export.message is not None
    assert export.decode_error is None


@pytest.mark.parametrize("encoding", list(Encoding))
def test_further_paths_are_taken_by_the_first_pattern(body: Body, encoding: Encoding) -> None:
    paths = {"/a/*metrics": Signal.METRICS, "/": Signal.TRACES, "*": Signal.LOGS}
    wanted = {
        "/a//v1/metrics": Signal.METRICS,
        "/a/metrics?tenant=1": Signal.METRICS,
        "/": Signal.TRACES,
        "/a/metrics/": Signal.LOGS,
        # What OTLP says goes before any pattern.
        "/v1/metrics": Signal.METRICS,
    }
    with Collector(paths=paths) as collector:
        for path, signal in wanted.items():
            sent = body(signal, encoding)
            response, _ = send(collector, sent, {"Content-Type": encoding.value}, path=path)
            assert response.status == 200
        response, _ = send(collector, method="GET", path="/a/metrics")
        assert response.status == 405
    *accepted, _ = collector.exports
    assert {export.path: export.signal for export in accepted} == wanted
    assert all(export.message is not None for export in accepted)


def test_other_paths_than_the_further_ones_are_refused(body: Body) -> None:
    with Collector(paths={"/a/metrics": Signal.METRICS}) as collector:
        assert send(collector, b"{}", {"Content-Type": JSON}, path="/a/Metrics")[0].status == 404


@pytest.mark.parametrize("padding", [0, 70_000, 1_000_000], ids=["small", "64K+", "large"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("encoding", list(Encoding))
def test_framing_and_coding(
    collector: Collector, body: Body, encoding: Encoding, framing: str, coding: str, padding: int
) -> None:
    sent = body(Signal.LOGS, encoding, padding)
    headers = {"Content-Type": encoding.value}
    wire = sent
    if coding == "gzip":
        headers["Content-Encoding"] = "gzip"
        wire = gzip.compress(sent)
    if framing == "chunked":
        # 1000 bytes a chunk, and more than one header that frames
        pieces = [wire[i : i + 1000] for i in range(0, len(wire), 1000)]
        response, _ = send(
            collector,
            iter(pieces),
            {**headers, "Transfer-Encoding": "chunked"},
            path="/v1/logs",
            encode_chunked=True,
        )
    else:
        response, _ = send(collector, wire, headers, path="/v1/logs")
    assert response.status == 200
    (export,) = collector.exports
    assert export.body == wire
    assert export.content == sent
    if framing == "chunked":
        assert export.header("Transfer-Encoding") == "chunked"
        assert export.header("Content-Length") is None
    else:
        assert export.header("Content-Length") == str(len(wire))
        assert export.header("Transfer-Encoding") is None


def test_transport_facts_are_kept(collector: Collector, body: Body) -> None:
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


def test_connections_are_kept_alive(collector: Collector, body: Body) -> None:
    with closing(connect(collector)) as client:
        client.connect()
        port = client.sock.getsockname()[1]
        for encoding in (PROTOBUF, JSON, "text/plain", PROTOBUF):
            client.request("POST", "/v1/traces", b"" if encoding == PROTOBUF else b"{}", {
                "Content-Type": encoding
            })  # fmt: skip
            response = client.getresponse()
            response.read()
            assert response.status == (415 if encoding == "text/plain" else 200)
            assert client.sock is not None, "the server hung up"
    assert {export.peer for export in collector.exports} == {f"127.0.0.1:{port}"}
    assert len(collector.exports) == 4


def test_pipelined_requests_are_answered_in_turn(collector: Collector) -> None:
    one = (
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close").replace(b"/logs", b"/traces")
    answers = talk(collector, one + one + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    seen = [export.signal for export in collector.exports]
    assert seen == [Signal.LOGS, Signal.LOGS, Signal.TRACES]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON ; q=1",
        "application/x-protobuf; messageType=x",
    ],
)
def test_content_type_parameters_do_not_matter(
    collector: Collector, body: Body, content_type: str
) -> None:
    media_type = PROTOBUF if "protobuf" in content_type else JSON
    sent = body(Signal.METRICS, Encoding(media_type))
    response, _ = send(collector, sent, {"Content-Type": content_type})
    assert response.status == 200
    assert response.headers["content-type"] == media_type
    (export,) = collector.exports
    assert export.protocol is PROTOCOLS[media_type]
    assert export.header("content-type") == content_type


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [(PROTOBUF, b""), (JSON, b"{}"), (JSON, b'{"resourceMetrics":[]}')],
)
def test_a_request_without_items_is_a_success(
    collector: Collector, content_type: str, sent: bytes
) -> None:
    response, _ = send(collector, sent, {"Content-Type": content_type})
    assert response.status == 200
    assert [export.rejected for export in collector.exports] == [""]


def test_json_numbers_may_be_strings_or_numbers(collector: Collector) -> None:
    point = {"asInt": 5, "timeUnixNano": "1770000000000000000"}
    other = {"asInt": "6", "timeUnixNano": 1770000000000000000}
    request = {
        "resourceMetrics": [
            {"scopeMetrics": [{"metrics": [{"name": "m", "sum": {"dataPoints": [point, other]}}]}]}
        ],
        "unknownField": True,
    }
    response, _ = send(
        collector, json.dumps(request).encode(), {"Content-Type": "application/json; charset=utf-8"}
    )
    assert response.status == 200
    (export,) = collector.exports
    assert [point.value for point in export.data_points] == [5, 6]


REFUSED: Mapping[str, tuple[int, dict[str, Any], str]] = {
    "path": (404, {"path": "/v1/metric"}, "no such path"),
    "root": (404, {"path": "/"}, "no such path"),
    "slash": (404, {"path": "/v1/metrics/"}, "no such path"),
    "method": (405, {"method": "PUT"}, "method PUT"),
    "GET": (405, {"method": "GET"}, "method GET"),
    "coding": (415, {"headers": {"Content-Encoding": "br"}}, "unsupported content encoding 'br'"),
    "garbage": (400, {"body": b"\xff\x00garbage"}, ""),
    "no gzip": (400, {"headers": {"Content-Encoding": "gzip"}}, "gzip"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("encoding", list(Encoding))
def test_refusals_carry_a_status_in_the_encoding_of_the_request(
    collector: Collector, body: Body, encoding: Encoding, case: str
) -> None:
    status, difference, reason = REFUSED[case]
    sent = difference.get("body", body(Signal.METRICS, encoding))
    response, content = send(
        collector,
        sent,
        {"Content-Type": encoding.value, **difference.get("headers", {})},
        method=difference.get("method", "POST"),
        path=difference.get("path", "/v1/metrics"),
    )
    assert response.status == status
    assert response.headers["content-type"] == encoding.value
    message = said(response, content)
    assert reason in message
    assert response.headers["allow"] == ("POST" if status == 405 else None)
    (export,) = collector.exports
    assert export.status == status
    assert export.rejected == message
    assert export.body == sent


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml; charset=utf-8", ""])
def test_an_unsupported_media_type_is_told_in_json(collector: Collector, content_type: str) -> None:
    response, content = send(collector, b"{}", {"Content-Type": content_type})
    assert response.status == 415
    assert "application/x-protobuf, application/json" in said(response, content)
    (export,) = collector.exports
    assert (export.protocol, export.signal) == (None, Signal.METRICS)
    assert export.rejected


def test_a_missing_media_type_is_unsupported(collector: Collector) -> None:
    answer = talk(collector, b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 415 ")


def test_head_gets_no_body(collector: Collector) -> None:
    response, content = send(collector, method="HEAD")
    assert (response.status, content) == (405, b"")


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_an_oversized_body_is_refused_and_the_connection_lives(
    small: Collector, body: Body, framing: str, coding: str
) -> None:
    """Over the limit as sent; for gzip the compressed bytes alone are over it."""
    with closing(connect(small)) as client:
        headers = {"Content-Type": PROTOBUF}
        if coding:
            headers["Content-Encoding"] = coding
        piece = b"\x01" * 50_000
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            client.request("POST", "/v1/logs", iter([piece] * 40), headers, encode_chunked=True)
        else:
            client.request("POST", "/v1/logs", piece * 40, headers)
        response = client.getresponse()
        assert response.status == 413
        assert "100000" in said(response, response.read())
        client.request("POST", "/v1/logs", b"", {"Content-Type": PROTOBUF})
        assert client.getresponse().status == 200
    refused, accepted = small.exports
    assert (refused.status, refused.body) == (413, b"")
    assert "larger than 100000 bytes" in refused.rejected
    assert accepted.rejected == ""
    assert (refused.over_limit, accepted.over_limit) == (True, False)


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(
    small: Collector, body: Body, encoding: Encoding
) -> None:
    empty = len(body(Signal.LOGS, encoding, 50_000)) - 50_000
    for over, status in ((0, 200), (1, 413)):
        sent = body(Signal.LOGS, encoding, 100_000 - empty + over)
        assert len(sent) == 100_000 + over
        for headers, wire in (({}, sent), ({"Content-Encoding": "gzip"}, gzip.compress(sent))):
            response, _ = send(
                small, wire, {"Content-Type": encoding.value, **headers}, path="/v1/logs"
            )
            assert response.status == status


def test_a_zip_bomb_is_refused_for_what_it_grows_to(small: Collector) -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    assert len(bomb) < 100_000
    response, content = send(
        small, bomb, {"Content-Type": JSON, "Content-Encoding": "gzip"}, path="/v1/logs"
    )
    assert response.status == 413
    assert "100000 bytes" in said(response, content)
    (export,) = small.exports
    assert export.body == bomb
    assert export.over_limit


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
    collector: Collector, raw: bytes, path: str
) -> None:
    answer = talk(collector, raw)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    message = json.loads(content)["message"]
    (export,) = collector.exports
    assert (export.status, export.rejected) == (400, message)
    assert path is None or export.path == path
    assert send(collector, b"", {"Content-Type": PROTOBUF})[0].status == 200


def test_garbage_after_a_good_request_is_a_request_of_its_own(collector: Collector) -> None:
    good = (
        b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    with socket.create_connection(address(collector), timeout=30) as client:
        client.sendall(good)
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


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_responder_may_refuse(body: Body, encoding: Encoding) -> None:
    answer = CollectorResponse(http_status=503, message="busy", headers=(("retry-after", "2"),))
    seen = []

    def refuse(export: Export) -> CollectorResponse:
        seen.append(export.signal)
        return answer

    with Collector(responder=refuse) as collector:
        response, content = send(
            collector, body(Signal.METRICS, encoding), {"Content-Type": encoding.value}
        )
        send(collector, b"", {"Content-Type": "text/plain"})
    assert seen == [Signal.METRICS]
    assert (response.status, response.headers["retry-after"]) == (503, "2")
    assert said(response, content) == "busy"
    assert (collector.exports[0].status, collector.exports[0].rejected) == (503, "busy")


def test_a_responder_may_choose_the_body(body: Body) -> None:
    partial = ExportMetricsServiceResponse()
    partial.partial_success.rejected_data_points = 3
    answer = CollectorResponse(body=partial.SerializeToString())
    with Collector(responder=lambda export: answer) as collector:
        response, content = send(
            collector, body(Signal.METRICS, Encoding.PROTOBUF), {"Content-Type": PROTOBUF}
        )
    assert response.status == 200
    assert ExportMetricsServiceResponse.FromString(content) == partial
    assert collector.exports[0].rejected == ""


def test_a_held_answer_is_given_after_all(body: Body) -> None:
    answer = CollectorResponse(http_status=503, message="busy", called="slow", hold_s=0.05)
    with Collector(responder=lambda export: answer) as collector:
        began = time.monotonic()
        response, _ = send(collector, b"{}", {"Content-Type": JSON})
        assert time.monotonic() - began >= 0.05
    assert response.status == 503
    (export,) = collector.exports
    assert (export.answered, export.given_up_unix_nano) == ("slow", 0)


def test_it_is_noted_when_a_client_gives_up_waiting() -> None:
    with Collector(responder=lambda export: CollectorResponse(hold_s=30)) as collector:
        with closing(connect(collector)) as client:
            client.request("POST", "/v1/metrics", b"{}", {"Content-Type": JSON})
            export = collector.wait_for_item(lambda export: export, 30)
            assert export.given_up_unix_nano == 0
        collector.stop()
    (noted,) = collector.exports
    assert noted.given_up_unix_nano > noted.arrived_unix_nano
    assert replace(noted, given_up_unix_nano=0) == export


def test_a_responder_that_raises_loses_nothing() -> None:
    def broken(export: Export) -> None:
        raise ValueError("oops")

    with Collector(responder=broken) as collector:
        response, content = send(collector, b"{}", {"Content-Type": JSON})
    assert response.status == 500
    assert "oops" in said(response, content)
    assert "oops" in collector.exports[0].rejected
