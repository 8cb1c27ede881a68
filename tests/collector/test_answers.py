"""Scripted answers: what cannot be sent cannot be made, and who fails in making one is heard."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable
from contextlib import closing
from typing import Any

import grpc
import pytest

from harness import Collector, CollectorResponse
from harness.collector.grpc_server import METHODS
from harness.errors import HarnessError
from harness.otlp.model import Protocol

METHOD, *_ = METHODS
DEADLINE_S = 60

#: The status, its message, and the headers by name.
Answered = tuple[int, str, dict[str, str | bytes]]


def over_http(collector: Collector) -> Answered:
    place = collector.http_endpoint.removeprefix("http://")
    with closing(http.client.HTTPConnection(place, timeout=DEADLINE_S)) as client:
        client.request("POST", "/v1/metrics", b"{}", {"content-type": "application/json"})
        response = client.getresponse()
        text = response.read().decode()
        return response.status, text, {key.lower(): said for key, said in response.getheaders()}


def over_grpc(collector: Collector) -> Answered:
    with grpc.insecure_channel(collector.grpc_endpoint.removeprefix("http://")) as channel:
        made: Any
        try:
            _, made = channel.unary_unary(METHOD, None, None).with_call(b"", timeout=DEADLINE_S)
        except grpc.RpcError as error:
            made = error
        trailers = {each.key: each.value for each in made.trailing_metadata()}
        return made.code().value[0], made.details() or "", trailers


SEND = {Protocol.HTTP_JSON: over_http, Protocol.GRPC: over_grpc}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"http_status": 700}, "http_status: expected a number from 200 to 599, saw 700"),
        ({"http_status": 0}, "http_status"),
        ({"http_status": 100}, "http_status"),
        ({"http_status": "200"}, "http_status"),
        ({"grpc_code": 99}, "grpc_code: expected a number from 0 to 16, saw 99"),
        ({"grpc_code": -1}, "grpc_code"),
        ({"message": "\ud800"}, "message: expected text that UTF-8 can encode"),
        ({"body": "text"}, "body: expected bytes or None, saw 'text'"),
        ({"hold_s": float("nan")}, "hold_s: expected a finite number of seconds"),
        ({"hold_s": float("inf")}, "hold_s"),
        ({"hold_s": -1}, "hold_s"),
        ({"headers": (("Retry-After", "1"),)}, "headers: expected a name of a-z"),
        ({"headers": (("a b", "1"),)}, "headers"),
        ({"headers": (("", "1"),)}, "headers"),
        ({"headers": (("x", "1\r\ny: 2"),)}, "the header 'x': expected printable ASCII"),
        ({"headers": (("x", "\u20ac"),)}, "the header 'x'"),
        ({"headers": (("x", b"1"),)}, "the header 'x'"),
        ({"headers": (("x-bin", "1"),)}, "the header 'x-bin': expected bytes, saw '1'"),
    ],
)
def test_what_cannot_be_sent_cannot_be_made(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"CollectorResponse: {problem}"):
        CollectorResponse(**fields)


@pytest.mark.parametrize("protocol", SEND)
@pytest.mark.parametrize(("status", "code"), [(599, 16), (503, 14), (200, 0), (302, 5)])
def test_what_is_recorded_is_what_was_answered(protocol: Protocol, status: int, code: int) -> None:
    headers = (("retry-after", "1 ~"), ("x-why-bin", b"\x00\xff"), ("content-type", "text/html"))
    answer = CollectorResponse(status, code, "busy \u20ac", headers)
    with Collector(responder=lambda export: answer) as collector:
        seen, _, sent = SEND[protocol](collector)
    (export,) = collector.exports
    assert export.status == seen == (code if protocol is Protocol.GRPC else status)
    assert sent["retry-after"] == "1 ~"
    as_text = base64.b64encode(b"\x00\xff").decode()
    assert sent["x-why-bin"] == (b"\x00\xff" if protocol is Protocol.GRPC else as_text)


def fails(export: object) -> None:
    pytest.fail("not what was asked for")


def exits(export: object) -> None:
    raise SystemExit(3)


def is_interrupted(export: object) -> None:
    raise KeyboardInterrupt


def says_nonsense(export: object) -> str:
    return "200"


def speaks_surrogates(export: object) -> None:
    raise ValueError("\ud800")


@pytest.mark.parametrize("protocol", SEND)
@pytest.mark.parametrize(
    ("responder", "said"),
    [
        (fails, "not what was asked for"),
        (exits, r"SystemExit\(3\)"),
        (is_interrupted, "KeyboardInterrupt"),
        (says_nonsense, "expected a CollectorResponse or None, saw '200'"),
        (speaks_surrogates, "ValueError"),
    ],
)
def test_a_responder_that_raises_costs_no_export_and_fails_its_test(
    protocol: Protocol, responder: Callable[..., Any], said: str
) -> None:
    collector = Collector(responder=responder)
    with (
        pytest.raises(
            HarnessError, match=f"the responder .* raised .*{said}.* for POST /"
        ) as caught,
        collector,
    ):
        assert SEND[protocol](collector)[0] == (13 if protocol is Protocol.GRPC else 500)
    assert caught.value.__cause__ is not None
    (export,) = collector.exports
    assert "responder raised" in export.rejected


def test_what_the_test_itself_raises_goes_first() -> None:
    def test(collector: Collector) -> None:
        over_http(collector)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Collector(responder=fails) as collector:
        test(collector)


def test_a_size_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_body_bytes must be positive, not -5"):
        Collector(max_body_bytes=-5)
