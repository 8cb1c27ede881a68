"""Remote write, as Prometheus and the collector's exporter send it."""

from __future__ import annotations

import struct
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import cramjam
import psutil
import pytest

from harness.capture.export import Export
from harness.collector.answer import CollectorResponse
from harness.exposition.remote_write import Request, WriteRequest
from harness.relay import certificates
from harness.relay.client import HttpClient
from harness.relay.endpoint import Endpoint
from harness.relay.outlets.remote_write import RemoteWriteOutlet

DEADLINE_S = 120.0
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


def v1(*series: tuple[Mapping[str, str], list[tuple[float, int]]], counter: str = "") -> Any:
    request = WriteRequest()
    for labels, values in series:
        added = request.timeseries.add()
        for name, value in labels.items():
            added.labels.add(name=name, value=value)
        for number, time in values:
            added.samples.add(value=number, timestamp=time)
    if counter:
        request.metadata.add(type=1, metric_family_name=counter, help="Cost", unit="USD")
    return request


def send(url: str, message: Any, **headers: str) -> tuple[int, Mapping[str, str]]:
    body = message if isinstance(message, bytes) else message.SerializeToString()
    compressed = bytes(memoryview(cramjam.snappy.compress_raw(body)))
    return post(url, compressed, **headers)


def post(url: str, body: bytes, **headers: str) -> tuple[int, Mapping[str, str]]:
    sent = {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "0.1.0",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data=body, headers=sent)) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {"reason": error.read().decode()}


@pytest.fixture
def outlet() -> Iterator[RemoteWriteOutlet]:
    with RemoteWriteOutlet() as outlet:
        yield outlet


def url(outlet: RemoteWriteOutlet) -> str:
    return outlet.placeholders()["write"]


def test_series_of_version_1(outlet: RemoteWriteOutlet) -> None:
    labels = {"__name__": "tokens_total", "type": "input", "otel_scope_name": "s"}
    status, _ = send(url(outlet), v1((labels, [(5.0, 1700000000123), (7.5, 1700000001000)])))
    assert status == 204
    [export] = outlet.wait_for(lambda exports: exports, DEADLINE_S)
    first, second = export.data_points
    assert (first.metric.name, first.value, second.value) == ("tokens_total", 5.0, 7.5)
    assert first.time_unix_nano == 1700000000123 * 1_000_000
    assert dict(first.attributes) == {"type": "input"}
    assert first.scope.name == "s"
    assert (first.metric.type, first.metric.temporality) == ("sum", "cumulative")
    assert (export.collector, export.rejected, export.decode_error) == ("write", "", None)


def test_over_tls() -> None:
    body = bytes(
        memoryview(
            cramjam.snappy.compress_raw(v1(({"__name__": "cost"}, [(1.0, 1)])).SerializeToString())
        )
    )
    headers = (("content-type", "application/x-protobuf"), ("content-encoding", "snappy"))
    with RemoteWriteOutlet(tls=certificates.server()) as outlet:
        place = urlsplit(url(outlet))
        assert (place.scheme, place.path) == ("https", "/api/v1/write")
        for tls, status in ((certificates.client(certified=False), 204), (None, None)):
            endpoint = Endpoint("http", "127.0.0.1", place.port or 0, tls=tls)
            with HttpClient(endpoint) as client:
                assert client.send(place.path, body, headers).status == status
        [export] = outlet.exports()
    assert export.data_points[0].metric.name == "cost"


def test_a_counter_without_its_suffix_is_known_by_what_was_told_of_it(
    outlet: RemoteWriteOutlet,
) -> None:
    series = ({"__name__": "cost"}, [(1.0, 1)])
    send(url(outlet), v1(series))
    send(url(outlet), v1(counter="cost"))
    send(url(outlet), v1(series))
    metrics = [export.data_points[0].metric for export in outlet.exports() if export.data_points]
    assert [metric.type for metric in metrics] == ["gauge", "sum"]
    assert (metrics[1].unit, metrics[1].description) == ("USD", "Cost")


def test_series_of_version_2(outlet: RemoteWriteOutlet) -> None:
    request = Request(symbols=["", "__name__", "cost", "type", "input", "USD", "Cost"])
    series = request.timeseries.add(labels_refs=[1, 2, 3, 4])
    series.samples.add(value=2.0, timestamp=2000, start_timestamp=1000)
    series.metadata.type, series.metadata.help_ref, series.metadata.unit_ref = 1, 6, 5
    status, headers = send(url(outlet), request, content_type=V2)
    assert status == 204
    assert headers["x-prometheus-remote-write-samples-written"] == "1"
    [point] = outlet.exports()[0].data_points
    assert (point.metric.name, point.metric.unit, point.metric.type) == ("cost", "USD", "sum")
    assert dict(point.attributes) == {"type": "input"}
    assert (point.start_time_unix_nano, point.time_unix_nano) == (10**9, 2 * 10**9)


def test_version_2_can_be_refused_so_that_senders_go_back() -> None:
    with RemoteWriteOutlet(version_2=False) as outlet:
        assert send(url(outlet), Request(symbols=[""]), content_type=V2)[0] == 415
        assert send(url(outlet), v1())[0] == 204


def test_a_stale_marker_ends_a_series(outlet: RemoteWriteOutlet) -> None:
    send(url(outlet), v1(({"__name__": "x_total"}, [(3.0, 1), (STALE, 2), (float("nan"), 3)])))
    value, end, not_a_number = outlet.exports()[0].data_points
    assert (value.value, value.flags) == (3.0, 0)
    assert (end.value, end.flags) == (None, 1)
    assert not_a_number.value != not_a_number.value
    assert not_a_number.flags == 0


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("", b"\xff\xff", {}, 400),
        ("", b"", {}, 400),
        ("", bytes(memoryview(cramjam.snappy.compress_raw(b"\xff\xff\xff"))), {}, 400),
        ("/elsewhere", b"", {}, 404),
        ("", b"", {"content_type": "application/json"}, 415),
        ("", b"", {"content_encoding": "gzip"}, 415),
        ("", b"", {"content_type": "application/x-protobuf;proto=other.Message"}, 415),
    ],
)
def test_what_is_no_remote_write_is_refused_and_kept(
    path: str, body: bytes, headers: dict[str, str], status: int, outlet: RemoteWriteOutlet
) -> None:
    answer, told = post(url(outlet) + path, body, **headers)
    assert answer == status
    [export] = outlet.exports()
    assert export.rejected == told["reason"] != ""
    assert (export.body, export.status) == (body, status)


def test_more_than_the_limit_is_not_unpacked() -> None:
    with RemoteWriteOutlet(max_body_bytes=1000) as outlet:
        assert send(url(outlet), b"\x00" * 5000)[0] == 413


def test_a_scripted_answer_is_given() -> None:
    def refuse(export: Export) -> CollectorResponse:
        return CollectorResponse(http_status=503, message="later")

    with RemoteWriteOutlet(responder=refuse) as outlet:
        assert send(url(outlet), v1(({"__name__": "x"}, [(1.0, 1)])))[0] == 503
        [export] = outlet.exports()
    assert export.rejected == "later"


def test_an_outlet_that_is_not_started_opens_no_port() -> None:
    def listening() -> int:
        connections = psutil.Process().net_connections("tcp")
        return sum(each.status == psutil.CONN_LISTEN for each in connections)

    before = listening()
    outlet = RemoteWriteOutlet()
    assert listening() == before
    with outlet:
        assert listening() == before + 1
    assert listening() == before
