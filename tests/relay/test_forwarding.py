"""A live CLI stands in front of a collector: requests and answers pass as they are."""

from __future__ import annotations

import threading

import pytest
import trustme

from harness.capture.export import SENT, Export
from harness.collector.answer import CollectorResponse
from harness.collector.collector import Collector
from harness.collector.tls import Tls
from harness.otlp.model import Protocol, Signal
from harness.relay.answer import Answer
from harness.relay.client import EXPORT_METHODS, GrpcClient, HttpClient
from harness.relay.endpoint import ClientTls, Endpoint, Transport
from harness.relay.forwarding import Forwarder, as_sent
from harness.running.drive import closed_port

JSON = (("Content-Type", "application/json"), ("X-Trace", "a b"), ("Authorization", "Bearer k"))
LOGS = EXPORT_METHODS[Signal.LOGS]
BODY = b'{"resourceLogs": [ ]}'


def posted(endpoint: Endpoint, chunk_bytes: int = 0) -> Answer:
    with HttpClient(endpoint) as client:
        return client.send("/v1/logs", BODY, JSON, chunk_bytes=chunk_bytes)


def told(export: Export) -> dict[str, str]:
    """The headers that say something, by their names in lower case."""
    framing = ("host", "content-length", "transfer-encoding")
    return {name.lower(): value for name, value in export.headers if name.lower() not in framing}


@pytest.mark.parametrize("chunk_bytes", [0, 5], ids=["with its length", "chunked"])
def test_a_request_over_http_arrives_as_it_was_sent(chunk_bytes: int) -> None:
    with (
        Collector(paths={"/base/*": Signal.LOGS}) as behind,
        Forwarder(Endpoint("http", "127.0.0.1", behind.http_port, "/base"), 60) as forwarder,
        Collector(responder=forwarder.respond, responder_waits=True) as front,
    ):
        answer = posted(Endpoint("http", "127.0.0.1", front.http_port), chunk_bytes=chunk_bytes)
        (sent,), (came,) = front.exports, behind.exports
    assert (answer.status, sent.status, came.status) == (200, 200, 200)
    assert (sent.path, came.path) == ("/v1/logs", "/base/v1/logs")
    assert sent.body == came.body == BODY
    assert told(sent) == told(came) == {name.lower(): value for name, value in JSON}
    assert came.header("transfer-encoding") == ("chunked" if chunk_bytes else None)
    assert (as_sent(sent).collector, as_sent(sent).rejected) == (SENT, "")


ANSWERS = [
    CollectorResponse(),
    CollectorResponse(http_status=503, message="busy", headers=(("retry-after", "7"),)),
    CollectorResponse(
        body=b'{"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}'
    ),
    CollectorResponse(http_status=400, body=b"<html>", headers=(("content-type", "text/html"),)),
    CollectorResponse(http_status=302, headers=(("location", "/elsewhere"),), body=b""),
]


@pytest.mark.parametrize("given", ANSWERS, ids=lambda each: f"{each.http_status} {each.body!r}")
def test_an_answer_over_http_reaches_the_client_as_it_was_given(given: CollectorResponse) -> None:
    with (
        Collector(responder=lambda export: given, paths={"*": Signal.LOGS}) as behind,
        Forwarder(Endpoint("http", "127.0.0.1", behind.http_port), 60) as forwarder,
        Collector(responder=forwarder.respond, responder_waits=True) as front,
    ):
        direct = posted(Endpoint("http", "127.0.0.1", behind.http_port))
        through = posted(Endpoint("http", "127.0.0.1", front.http_port))
        (sent,) = front.exports
    assert (through.status, through.body) == (direct.status, direct.body)
    assert sorted(through.headers) == sorted(direct.headers)
    assert sent.status == given.http_status
    refused = {503: "HTTP 503", 400: "HTTP 400", 302: "HTTP 302"}.get(given.http_status, "")
    assert as_sent(sent).rejected == refused
    partly = given.body is not None and b"partialSuccess" in given.body
    assert as_sent(sent).answered == ("2 items rejected: too old" if partly else "")


CALLS = [
    CollectorResponse(body=b"\x0a\x05\x08\x03\x12\x01x"),
    CollectorResponse(grpc_code=14, message="come again", headers=(("retry-in", "5"),)),
    CollectorResponse(
        grpc_code=3, message="no", headers=(("grpc-status-details-bin", b"\x08\x03"),)
    ),
]


@pytest.mark.parametrize("given", CALLS, ids=lambda each: str(each.grpc_code))
def test_a_call_and_its_answer_pass_as_they_are(given: CollectorResponse) -> None:
    metadata = (("x-tenant", "a"), ("authorization", "Bearer k"), ("x-raw-bin", b"\x00\xff"))
    answers = []
    with (
        Collector(responder=lambda export: given) as behind,
        Forwarder(Endpoint("grpc", "127.0.0.1", behind.grpc_port), 60) as forwarder,
        Collector(responder=forwarder.respond, responder_waits=True) as front,
    ):
        for collector in (behind, front):
            with GrpcClient(Endpoint("grpc", "127.0.0.1", collector.grpc_port)) as client:
                answers.append(client.call(LOGS, b"\x0a\x00", metadata))
        _, came = behind.exports
        (sent,) = front.exports
    direct, through = answers
    assert (through.code, through.details, through.body) == (
        (direct.code, direct.details, direct.body)
    )
    assert through.trailers == direct.trailers
    assert came.body == sent.body == b"\x0a\x00"
    kept = {name: value for name, value in came.headers if name != "user-agent"}
    assert kept == {"x-tenant": "a", "authorization": "Bearer k", "x-raw-bin": "AP8="}
    assert ("authorization", "<credential>") in as_sent(sent).headers
    codes = {0: "", 14: "UNAVAILABLE: come again", 3: "INVALID_ARGUMENT: no"}
    assert as_sent(sent).rejected == codes[given.grpc_code]


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP_JSON])
def test_where_no_answer_comes_the_client_may_try_again(protocol: Protocol) -> None:
    grpc = protocol is Protocol.GRPC
    with (
        closed_port() as port,
        Forwarder(Endpoint("grpc" if grpc else "http", "127.0.0.1", port), 60) as forwarder,
        Collector(responder=forwarder.respond, responder_waits=True) as front,
    ):
        if grpc:
            with GrpcClient(Endpoint("grpc", "127.0.0.1", front.grpc_port)) as client:
                assert client.call(LOGS, b"").code == "UNAVAILABLE"
        else:
            assert posted(Endpoint("http", "127.0.0.1", front.http_port)).status == 502
        (sent,) = front.exports
    assert "connect" in as_sent(sent).rejected


def test_a_slow_answer_holds_up_nobody_else() -> None:
    """The first request is answered only when the second one is."""
    second = threading.Event()

    def respond(export: Export) -> None:
        if export.header("x-trace") == "second":
            second.set()
        elif not second.wait(120):
            raise TimeoutError("nobody came meanwhile")

    with Collector(responder=respond, responder_waits=True) as front:
        endpoint = Endpoint("http", "127.0.0.1", front.http_port)
        answers: list[Answer] = []
        first = threading.Thread(target=lambda: answers.append(posted(endpoint)))
        first.start()
        with HttpClient(endpoint) as client:
            json = (("Content-Type", "application/json"), ("X-Trace", "second"))
            answers.append(client.send("/v1/logs", BODY, json))
        first.join(120)
    assert [answer.status for answer in answers] == [200, 200]


def test_each_connection_of_the_client_is_one_to_the_collector() -> None:
    with (
        Collector() as behind,
        Forwarder(Endpoint("http", "127.0.0.1", behind.http_port), 60) as forwarder,
        Collector(responder=forwarder.respond, responder_waits=True) as front,
    ):
        endpoint = Endpoint("http", "127.0.0.1", front.http_port)
        for _ in range(2):
            with HttpClient(endpoint) as client:
                assert [client.send("/v1/logs", BODY, JSON).status for _ in range(2)] == [200, 200]
        peers = [export.peer for export in behind.exports]
    assert peers[0] == peers[1] != peers[2] == peers[3]


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_tls_to_the_collector_is_ours(transport: Transport) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    tls = Tls(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
    with Collector(tls=tls) as behind:
        port = behind.grpc_port if transport == "grpc" else behind.http_port
        trusting = ClientTls(authority.cert_pem.bytes())
        under_test = Endpoint(transport, "127.0.0.1", port, tls=trusting)
        with (
            Forwarder(under_test, 60) as forwarder,
            Collector(responder=forwarder.respond, responder_waits=True) as front,
        ):
            if transport == "grpc":
                with GrpcClient(Endpoint("grpc", "127.0.0.1", front.grpc_port)) as client:
                    assert client.call(LOGS, b"").code == "OK"
            else:
                assert posted(Endpoint("http", "127.0.0.1", front.http_port)).status == 200
        assert [export.rejected for export in behind.exports] == [""]
