"""Servers that break a rule are found by the promise that names it, and blamed for nothing else."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from miniature_answering import (
    accepted_202,
    anybody,
    closes_on_chunks,
    error_to_garbage,
    ignores_gzip,
    loses_strangers,
    no_strangers,
    ok_to_garbage,
    plain_text,
    twice,
    wants_a_length,
    words_alone,
)

from harness.capture.capture import Capture
from harness.capture.observed import observed
from harness.collector.answer import CollectorResponse
from harness.collector.collector import Collector
from harness.collector.tls import Tls
from harness.otlp.model import Protocol, Signal
from harness.relay.endpoint import ClientTls, Endpoint
from harness.relay_themes.receiving.measures import receiving
from harness.relay_themes.receiving.observed import Probes
from harness.relay_themes.receiving.scenarios import due, observe
from harness.running.drive import closed_port

if TYPE_CHECKING:
    from miniature_receiving import Behaviour, Reply

    from tests.relay_themes.receiving.conftest import Broken, Record

Headers = Mapping[str, str]


def throttled(code: int | StatusCode, again: str = "") -> CollectorResponse:
    """An answer of a server that has too much to do, and says when it will have less."""
    if isinstance(code, int):
        headers = (("retry-after", again),) if again else ()
        return CollectorResponse(http_status=code, message="busy", headers=headers, called=again)
    number: int = code.value[0]
    status = Status(code=number, message="busy")
    if again:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=int(again))))
    trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    return CollectorResponse(grpc_code=number, message="busy", headers=trailers, called=again)


OVER_HTTP = [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON]

#: The damage that a server finds only by reading the body to its end.
DAMAGED = {
    Protocol.HTTP_PROTOBUF: {
        *("truncated", "garbage", "bit_flipped", "bit_flipped_inside", "other_encoding")
    },
    Protocol.HTTP_JSON: {
        *("truncated", "garbage", "other_encoding", "no_object", "wrong_type", "wrong_type_inside")
    },
}


@pytest.fixture(params=OVER_HTTP, ids=str)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    chosen: Protocol = request.param
    return chosen


def malformed(protocol: Protocol, *more: str) -> set[str]:
    return {f"receiving.malformed.{kind}" for kind in DAMAGED[protocol]} | {
        f"receiving.{name}" for name in more
    }


def named(*names: str) -> Callable[[Protocol], set[str]]:
    return lambda _: {f"receiving.{name}" for name in names}


FRAMING = ("framing.chunked", "framing.chunked_gzip", "framing.cli_chunked")
UNKNOWN = tuple(
    f"unknown_fields.{level}" for level in ("request", "resource", "scope", "item", "value")
)
GZIPPED = (
    *("gzip", "framing.chunked_gzip", "large.gzip", "large.bomb", "nothing_lost"),
    *("malformed.no_gzip", "malformed.truncated_gzip", "malformed.not_accepted"),
)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (
            ok_to_garbage,
            lambda p: malformed(p, "malformed.not_accepted", "nothing_lost", "invalid_utf8.http"),
        ),
        (
            error_to_garbage,
            lambda p: malformed(
                p,
                "malformed.no_server_error",
                "malformed.no_gzip",
                "malformed.truncated_gzip",
                "invalid_utf8.http",
            ),
        ),
        (plain_text, named("response.content_type", "response.error_content_type")),
        (accepted_202, named("response.status", "partial.status")),
        (words_alone, named("response.error_body", "response.error_body_elsewhere")),
        (
            no_strangers,
            named(*UNKNOWN),
        ),
        (loses_strangers, named(*UNKNOWN, "nothing_lost")),
        (ignores_gzip, named(*GZIPPED)),
        (closes_on_chunks, named(*FRAMING, "answered")),
        (wants_a_length, named(*FRAMING)),
        (twice, named("nothing_twice")),
        (
            anybody,
            named(
                "authentication.anonymous",
                "authentication.impostor",
            ),
        ),
    ],
    ids=lambda value: value.__name__ if value.__name__ != "<lambda>" else "",
)
def test_a_faulty_server(
    fault: Any,
    found: Callable[[Protocol], set[str]],
    protocol: Protocol,
    behave: type[Behaviour],
    record: Record,
    broken: Broken,
) -> None:
    assert set(broken([record(behave(fault), protocol)])) == found(protocol)


def test_a_server_that_hangs(behave: type[Behaviour], record: Record, broken: Broken) -> None:
    ended = threading.Event()

    def hangs_on_empty(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply | None:
        if body == b"{}":
            ended.wait(60)
            return None
        return server.post(path, headers, body)

    found = broken([record(behave(hangs_on_empty), Protocol.HTTP_JSON, timeout_s=8)])
    ended.set()
    (seen,) = found["receiving.empty.object"]
    assert "unanswered" in seen
    assert "receiving.answered" in found


def test_patience_with_a_server_that_always_hangs_ends(
    behave: type[Behaviour], record: Record
) -> None:
    ended = threading.Event()

    def hangs(server: Behaviour, path: str, headers: Headers, body: bytes) -> None:
        ended.wait(120)

    capture = record(behave(hangs), Protocol.HTTP_PROTOBUF, timeout_s=2)
    ended.set()
    probes = observed(capture.run, Probes)
    assert probes is not None
    assert due(probes) == frozenset()
    waited = [one.error for one in probes.probed if one.group == "valid"]
    assert set(waited) == {"no whole answer within 2 s", "no whole answer within 0.5 s"}
    assert waited[-1] == "no whole answer within 0.5 s"


def test_nobody_listens(capture_with: Callable[..., Capture], broken: Broken) -> None:
    with closed_port() as port:
        grpc, http = Endpoint("grpc", "127.0.0.1", port), Endpoint("http", "127.0.0.1", port)
        captures = [
            capture_with(observe(endpoint, protocol), protocol, ())
            for endpoint, protocol in ((grpc, Protocol.GRPC), (http, Protocol.HTTP_JSON))
        ]
    found = broken(captures)
    assert {"receiving.answered", "receiving.gzip", "receiving.still_there"} <= set(found)
    assert "receiving.nothing_lost" not in found


def test_our_own_collector(capture_with: Callable[..., Capture], broken: Broken) -> None:
    """It keeps every promise that we ask of others."""
    captures = []
    for protocol in Protocol:
        with Collector() as collector:
            transport: Any = "grpc" if protocol is Protocol.GRPC else "http"
            port = collector.grpc_port if transport == "grpc" else collector.http_port
            probes = observe(Endpoint(transport, "127.0.0.1", port), protocol, timeout_s=60)
            captures.append(capture_with(probes, protocol, collector.exports))
    assert broken(captures) == {}


def test_tls_and_one_signal_alone(capture_with: Callable[..., Capture], broken: Broken) -> None:
    """Without half-closed connections, which TLS has not; metrics carry what logs would."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    settings = Tls(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
    with Collector(tls=settings) as collector:
        endpoint = Endpoint(
            "http", "127.0.0.1", collector.http_port, tls=ClientTls(authority.cert_pem.bytes())
        )
        probes = observe(endpoint, Protocol.HTTP_JSON, signals=[Signal.METRICS], timeout_s=60)
        capture = capture_with(probes, Protocol.HTTP_JSON, collector.exports)
    assert broken([capture]) == {}
    sent = {one.probe for one in probes.probed}
    assert {one.signal for one in probes.probed} == {"metrics"}
    assert "half_closed" not in sent
    assert sent & {"path_logs", "ids_in_lower_case", "anonymous"} == set()


def test_a_server_for_metrics_alone(
    behave: type[Behaviour], record: Record, broken: Broken
) -> None:
    """The plain requests tell so, and metrics carry all other probes."""

    def no_others(server: Behaviour, path: str, headers: Headers, body: bytes) -> Reply:
        return server.post(path if path == "/v1/metrics" else "/v1/none", headers, body)

    capture = record(behave(no_others), Protocol.HTTP_JSON)
    assert set(broken([capture])) == {"receiving.paths.logs", "receiving.paths.traces"}
    probes = observed(capture.run, Probes)
    assert probes is not None
    others = [one for one in probes.probed if not one.probe.startswith("path_")]
    assert {one.signal for one in others} == {"metrics"}


@pytest.mark.parametrize(
    ("protocol", "answer", "found"),
    [
        (Protocol.HTTP_JSON, throttled(503, "1"), set()),
        (Protocol.HTTP_PROTOBUF, throttled(429, "Fri, 27 Nov 2026 06:00:00 GMT"), set()),
        (Protocol.HTTP_JSON, throttled(503, "soon"), {"receiving.throttling.retry_after"}),
        (Protocol.HTTP_JSON, throttled(500), {"receiving.throttling.status"}),
        (Protocol.GRPC, throttled(StatusCode.UNAVAILABLE), set()),
        (Protocol.GRPC, throttled(StatusCode.RESOURCE_EXHAUSTED, "1"), set()),
        (
            Protocol.GRPC,
            throttled(StatusCode.RESOURCE_EXHAUSTED),
            {"receiving.throttling.code"},
        ),
    ],
    ids=("503", "429", "vague", "500", "UNAVAILABLE", "recovers", "exhausted"),
)
def test_a_server_that_is_overloaded(
    protocol: Protocol,
    answer: CollectorResponse,
    found: set[str],
    capture_with: Callable[..., Capture],
    broken: Broken,
) -> None:
    """After the plain requests, it puts off everything."""
    number = itertools.count(1)
    with Collector(responder=lambda _: answer if next(number) > 3 else None) as collector:
        transport: Any = "grpc" if protocol is Protocol.GRPC else "http"
        port = collector.grpc_port if transport == "grpc" else collector.http_port
        probes = observe(Endpoint(transport, "127.0.0.1", port), protocol, timeout_s=60)
        capture = capture_with(probes, protocol, collector.exports)
    throttling = {name for name in broken([capture]) if name.startswith("receiving.throttling.")}
    assert throttling == found
    items = [item.view for item in receiving(capture) if item.view["probe"] == "together"]
    assert {view["outcome"] for view in items} <= {"refused", "failed"}


def test_an_endpoint_that_does_not_speak_it() -> None:
    with pytest.raises(ValueError, match="http://h:1 does not speak grpc"):
        observe(Endpoint("http", "h", 1), Protocol.GRPC)
