"""OTLP/gRPC with a plain grpcio client: bytes in, bytes out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import pytest

from harness import Collector, CollectorResponse
from harness.collector import grpc_server
from harness.collector.grpc_server import METADATA_BYTES, METHODS
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal

if TYPE_CHECKING:
    from tests.collector.conftest import Body

METRICS, LOGS, _ = METHODS
DEADLINE_S = 60

Metadata = tuple[tuple[str, str | bytes], ...]


def call(
    collector: Collector,
    method: str,
    body: bytes,
    *,
    compression: grpc.Compression | None = None,
    metadata: Metadata | None = None,
) -> bytes:
    target = collector.grpc_endpoint.removeprefix("http://")
    with grpc.insecure_channel(target) as channel:
        answer: bytes = channel.unary_unary(method, None, None)(
            body, timeout=DEADLINE_S, compression=compression, metadata=metadata
        )
        return answer


def refused(
    collector: Collector,
    method: str,
    body: bytes,
    *,
    compression: grpc.Compression | None = None,
) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(collector, method, body, compression=compression)
    details = caught.value.details()
    assert details is not None, "refused without a word"
    return caught.value.code(), details


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip], ids=["identity", "gzip"])
@pytest.mark.parametrize("method", METHODS)
def test_export_is_stored_as_bytes(
    collector: Collector, body: Body, method: str, compression: grpc.Compression | None
) -> None:
    signal = METHODS[method]
    sent = body(signal, Encoding.PROTOBUF, 10_000)
    metadata = (("authorization", "Bearer x"), ("x-twice", "a"), ("x-twice", "b"))
    assert call(collector, method, sent, compression=compression, metadata=metadata) == b""
    (export,) = collector.exports
    assert export.body == export.content == sent
    assert (export.signal, export.protocol) == (signal, Protocol.GRPC)
    assert (export.method, export.path, export.http_version) == ("POST", method, "2")
    assert (export.status, export.rejected) == (0, "")
    assert export.peer.startswith("127.0.0.1:")
    assert [pair for pair in export.headers if pair in metadata] == list(metadata)
    agent = export.header("user-agent")
    assert agent is not None
    assert agent.startswith("grpc-python/")
    assert export.message is not None


def test_binary_metadata_is_kept_as_base64(collector: Collector) -> None:
    call(collector, LOGS, b"", metadata=(("x-bin", b"\x00\xff"),))
    assert collector.exports[0].header("x-bin") == "AP8="


def test_an_empty_request_is_a_success(collector: Collector) -> None:
    assert call(collector, METRICS, b"") == b""
    assert collector.exports[0].rejected == ""


def test_garbage_is_an_invalid_argument(collector: Collector) -> None:
    code, details = refused(collector, METRICS, b"\xff\x00garbage")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    (export,) = collector.exports
    assert (export.status, export.rejected) == (3, details)
    assert export.body == b"\xff\x00garbage"


@pytest.mark.parametrize(
    "method",
    [
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Import",
        "/grpc.health.v1.Health/Check",
    ],
)
def test_an_unknown_method_is_unimplemented_and_recorded(collector: Collector, method: str) -> None:
    code, details = refused(collector, method, b"anything")
    assert code is grpc.StatusCode.UNIMPLEMENTED
    (export,) = collector.exports
    assert (export.path, export.signal, export.status) == (method, None, 12)
    assert export.rejected == details
    assert method in details
    assert export.body == b"anything"


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip], ids=["identity", "gzip"])
def test_an_oversized_message_is_refused_and_recorded(
    small: Collector, body: Body, compression: grpc.Compression | None
) -> None:
    """Gzip makes a few hundred bytes of them: the limit holds for what they grow to."""
    sent = body(Signal.METRICS, Encoding.PROTOBUF, 200_000)
    code, details = refused(small, METRICS, sent, compression=compression)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    (export,) = small.exports
    assert (export.signal, export.status, export.body) == (Signal.METRICS, 8, b"")
    assert export.rejected == details == "message larger than 100000 bytes"
    assert export.over_limit
    assert call(small, METRICS, sent[:0]) == b""


def test_a_message_at_the_limit_passes_and_one_byte_more_does_not(
    small: Collector, body: Body
) -> None:
    empty = len(body(Signal.METRICS, Encoding.PROTOBUF, 50_000)) - 50_000
    sent = body(Signal.METRICS, Encoding.PROTOBUF, 100_000 - empty)
    assert len(sent) == 100_000
    assert call(small, METRICS, sent) == b""
    more = body(Signal.METRICS, Encoding.PROTOBUF, 100_001 - empty)
    assert refused(small, METRICS, more)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [export.over_limit for export in small.exports] == [False, True]


@pytest.mark.parametrize("size", [8_200, 16_000, METADATA_BYTES - 500])
def test_much_metadata_passes(collector: Collector, size: int) -> None:
    for _ in range(5):
        assert call(collector, METRICS, b"", metadata=(("authorization", "x" * size),)) == b""
    assert {len(export.header("authorization") or "") for export in collector.exports} == {size}


def test_more_metadata_is_refused_and_the_record_says_so(collector: Collector) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(collector, METRICS, b"", metadata=(("authorization", "x" * METADATA_BYTES),))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    (export,) = collector.exports
    assert re.fullmatch(r"metadata of 65\d{3} bytes: at most 65536 are taken", export.rejected)
    assert export.rejected == caught.value.details()
    assert (export.over_limit, export.headers, export.status) == (True, (), 8)


def test_far_more_than_the_limit_is_refused_by_grpcio(monkeypatch: pytest.MonkeyPatch) -> None:
    """There we are not told why no message came."""
    monkeypatch.setattr(grpc_server, "HEADROOM_BYTES", 1000)
    with Collector(max_body_bytes=100) as collector:
        code, _ = refused(collector, METRICS, b"\0" * 2000)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        export = collector.wait_for_item(lambda export: export, DEADLINE_S)
    assert (export.status, export.over_limit) == (8, False)
    assert "larger by 1000 bytes than the limit of 100" in export.rejected


def test_a_call_without_a_message_is_refused_and_recorded(collector: Collector) -> None:
    target = collector.grpc_endpoint.removeprefix("http://")
    with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary(LOGS, None, None)(iter([]), timeout=DEADLINE_S)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    (export,) = collector.exports
    assert "no message arrived" in export.rejected
    assert not export.over_limit


def test_a_call_that_its_client_cancels_is_recorded(collector: Collector) -> None:
    target = collector.grpc_endpoint.removeprefix("http://")
    begun, go_on = threading.Event(), threading.Event()

    def never() -> Iterator[bytes]:
        begun.set()
        go_on.wait(DEADLINE_S)
        yield from ()

    with grpc.insecure_channel(target) as channel:
        # A first call, so that the connection is there before the one that is cancelled.
        channel.unary_unary(LOGS, None, None)(b"", timeout=DEADLINE_S)
        pending = channel.stream_unary(METRICS, None, None).future(never(), timeout=DEADLINE_S)
        assert begun.wait(DEADLINE_S)
        # A later call on the same connection is answered: the pending one has arrived too.
        channel.unary_unary(LOGS, None, None)(b"", timeout=DEADLINE_S)
        pending.cancel()  # type: ignore[no-untyped-call]  # untyped in the stubs
        go_on.set()
        export = collector.wait_for_item(
            lambda export: export if export.signal is Signal.METRICS else None, DEADLINE_S
        )
    assert "cancelled by the client" in export.rejected
    assert not export.over_limit


def test_a_responder_may_refuse() -> None:
    answer = CollectorResponse(grpc_code=14, message="busy", headers=(("x-why", "test"),))
    with Collector(responder=lambda export: answer) as collector:
        with pytest.raises(grpc.RpcError) as caught:
            call(collector, METRICS, b"")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert caught.value.details() == "busy"
        # Only names that end in -bin hold bytes; the stubs know no other.
        trailing: list[tuple[str, str | bytes]] = [
            (each.key, each.value) for each in caught.value.trailing_metadata()
        ]
        assert ("x-why", "test") in trailing
        (export,) = collector.exports
        assert (export.status, export.rejected) == (14, "busy")


def test_a_responder_may_choose_the_message() -> None:
    with Collector(
        responder=lambda export: CollectorResponse(body=b"\x0a\x02\x08\x03")
    ) as collector:
        assert call(collector, METRICS, b"") == b"\x0a\x02\x08\x03"
        assert collector.exports[0].rejected == ""


def test_it_is_noted_when_a_client_gives_up_waiting() -> None:
    answer = CollectorResponse(called="slow", hold_s=DEADLINE_S)
    with Collector(responder=lambda export: answer) as collector:
        target = collector.grpc_endpoint.removeprefix("http://")
        with grpc.insecure_channel(target) as channel:
            pending = channel.unary_unary(METRICS, None, None).future(b"", timeout=DEADLINE_S)
            export = collector.wait_for_item(lambda export: export, DEADLINE_S)
            assert export.given_up_unix_nano == 0
            pending.cancel()  # type: ignore[no-untyped-call]  # untyped in the stubs
        collector.stop()
        (noted,) = collector.exports
        assert noted.answered == "slow"
        assert noted.given_up_unix_nano > noted.arrived_unix_nano
        assert replace(noted, given_up_unix_nano=0) == export


def test_a_held_answer_is_given_after_all() -> None:
    with Collector(responder=lambda export: CollectorResponse(hold_s=0.05)) as collector:
        began = time.monotonic()
        assert call(collector, METRICS, b"") == b""
        assert time.monotonic() - began >= 0.05
        assert collector.exports[0].given_up_unix_nano == 0
