"""OTLP/HTTP request by request: what is taken, what is refused, and how it is answered."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
import zstandard
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from harness import Collector, CollectorResponse, Export
from harness.otlp.messages import RESPONSES, Encoding
from harness.otlp.model import Protocol, Signal

if TYPE_CHECKING:
    from tests.collector.conftest import Body

PROTOBUF = Encoding.PROTOBUF.value
JSON = Encoding.JSON.value

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
    encode_chunked: bool = False,
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request on a connection of its own; answers (response, its body)."""
    with closing(connect(collector)) as client:
        client.request(method, path, body, headers or {}, encode_chunked=encode_chunked)
        response = client.getresponse()
        return response, response.read()


def said(response: http.client.HTTPResponse, content: bytes) -> str:
    """The message of a google.rpc.Status body, in the encoding that the headers name."""
    if response.headers["content-type"] == JSON:
        message: str = json.loads(content)["message"]
        return message
    assert response.headers["content-type"] == PROTOBUF
    return str(Status.FromString(content).message)


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


def test_other_paths_than_the_further_ones_are_refused() -> None:
    with Collector(paths={"/a/metrics": Signal.METRICS}) as collector:
        assert send(collector, b"{}", {"Content-Type": JSON}, path="/a/Metrics")[0].status == 404


@pytest.mark.parametrize("padding", [0, 70_000, 1_000_000], ids=["small", "64K+", "large"])
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("encoding", list(Encoding))
def test_framing_and_coding(
    collector: Collector, body: Body, encoding: Encoding, framing: str, coding: str, padding: int
) -> None:
    sent = body(Signal.LOGS, encoding, padding)
    headers = {"Content-Type": encoding.value}
    wire = sent
    if coding != "identity":
        headers["Content-Encoding"] = coding
        wire = COMPRESS[coding](sent)
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


@dataclass(frozen=True)
class Refused:
    """A request that is good but for one thing, and what it is refused with."""

    status: int
    reason: str
    method: str = "POST"
    path: str = "/v1/metrics"
    coding: str = ""
    body: bytes | None = None


#: What compresses a body in each coding.
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
}

REFUSED = {
    "path": Refused(404, "no such path", path="/v1/metric"),
    "root": Refused(404, "no such path", path="/"),
    "slash": Refused(404, "no such path", path="/v1/metrics/"),
    "method": Refused(405, "method PUT", method="PUT"),
    "GET": Refused(405, "method GET", method="GET"),
    "coding": Refused(415, "unsupported content encoding 'br'", coding="br"),
    "garbage": Refused(400, "body is no", body=b"\xff\x00garbage"),
    "no gzip": Refused(400, "gzip", coding="gzip"),
    "no zstd": Refused(400, "zstd", coding="zstd"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("encoding", list(Encoding))
def test_refusals_carry_a_status_in_the_encoding_of_the_request(
    collector: Collector, body: Body, encoding: Encoding, case: Refused
) -> None:
    sent = body(Signal.METRICS, encoding) if case.body is None else case.body
    headers = {"Content-Type": encoding.value}
    if case.coding:
        headers["Content-Encoding"] = case.coding
    response, content = send(collector, sent, headers, method=case.method, path=case.path)
    assert response.status == case.status
    assert response.headers["content-type"] == encoding.value
    message = said(response, content)
    assert case.reason in message
    assert response.headers["allow"] == ("POST" if case.status == 405 else None)
    (export,) = collector.exports
    assert export.status == case.status
    assert export.rejected == message
    assert export.body == sent


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml; charset=utf-8", "", None],
    ids=["text", "XML", "empty", "missing"],
)
def test_an_unsupported_media_type_is_told_in_json(
    collector: Collector, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response, content = send(collector, b"{}", headers)
    assert response.status == 415
    assert "application/x-protobuf, application/json" in said(response, content)
    (export,) = collector.exports
    assert (export.protocol, export.signal) == (None, Signal.METRICS)
    assert export.rejected


def test_head_gets_no_body(collector: Collector) -> None:
    response, content = send(collector, method="HEAD")
    assert (response.status, content) == (405, b"")


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_an_oversized_body_is_refused_and_the_connection_lives(
    small: Collector, framing: str, coding: str
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


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_zip_bomb_is_refused_for_what_it_grows_to(small: Collector, coding: str) -> None:
    bomb = COMPRESS[coding](b"\0" * 100_000_000)
    assert len(bomb) < 100_000
    response, content = send(
        small, bomb, {"Content-Type": JSON, "Content-Encoding": coding}, path="/v1/logs"
    )
    assert response.status == 413
    assert "100000 bytes" in said(response, content)
    (export,) = small.exports
    assert export.body == bomb
    assert export.over_limit


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_responder_may_refuse(body: Body, encoding: Encoding) -> None:
    answer = CollectorResponse(http_status=503, message="busy", headers=(("retry-after", "2"),))
    seen: list[Signal | None] = []

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


def test_a_held_answer_is_given_after_all() -> None:
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
