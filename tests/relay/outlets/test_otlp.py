"""The downstream over OTLP: one collector, two outlets."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub

from harness.capture.export import Export
from harness.collector.answer import CollectorResponse
from harness.errors import UsageError
from harness.otlp.messages import ExportLogsServiceRequest
from harness.relay.outlets.otlp import OtlpOutlet
from harness.relay.ports import free_port
from harness.relay_themes.passing.downstream import SLOW, SLOWLY_S, Refusals, Slowness

DEADLINE_S = 120.0


def request() -> ExportLogsServiceRequest:
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "claude_code.user_prompt"
    return message


def post(url: str, body: bytes = b"") -> int:
    sent = urllib.request.Request(
        f"{url}/v1/logs",
        data=body or request().SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sent) as answer:
        status: int = answer.status
        return status


@pytest.fixture
def outlet() -> Iterator[OtlpOutlet]:
    with OtlpOutlet() as outlet:
        yield outlet


def test_each_protocol_is_an_outlet(outlet: OtlpOutlet) -> None:
    placeholders = outlet.placeholders()
    assert post(placeholders["http_out"]) == 200
    with grpc.insecure_channel(placeholders["grpc_out"]) as channel:
        stub = LogsServiceStub(channel)  # type: ignore[no-untyped-call]
        stub.Export(request(), timeout=DEADLINE_S)
    http, over_grpc = outlet.wait_for(lambda exports: exports[1:] and exports, DEADLINE_S)
    assert (http.collector, over_grpc.collector) == ("http", "grpc")
    assert [len(export.events) for export in outlet.exports()] == [1, 1]


def test_what_was_passed_on_damaged_is_taken(outlet: OtlpOutlet) -> None:
    """A relay passes text that is no UTF-8 on as it came: a refusal of ours would be its loss."""
    damaged = request().SerializeToString().replace(b"claude_code", b"\xff\xfe\xfd\xfc_code")
    placeholders = outlet.placeholders()
    assert post(placeholders["http_out"], damaged) == 200
    with grpc.insecure_channel(placeholders["grpc_out"]) as channel:
        export_logs = channel.unary_unary(
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        assert export_logs(damaged, timeout=DEADLINE_S) == b""
    taken = outlet.wait_for(lambda exports: exports[1:] and exports, DEADLINE_S)
    assert [export.rejected for export in taken] == ["", ""]
    assert all(export.decode_error for export in taken)


def test_an_export_is_decoded_once(outlet: OtlpOutlet) -> None:
    post(outlet.placeholders()["http_out"])
    first = outlet.wait_for(lambda exports: exports, DEADLINE_S)
    assert outlet.exports()[0] is first[0]


def test_a_scripted_answer_is_given() -> None:
    def refuse(export: Export) -> CollectorResponse:
        return CollectorResponse(http_status=503, message="later")

    with OtlpOutlet(responder=refuse) as outlet:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            post(outlet.placeholders()["http_out"])
        [export] = outlet.exports()
    assert (export.collector, export.rejected, export.status) == ("http", "later", 503)


def test_one_that_is_away_refuses_until_it_is_back() -> None:
    outlet = OtlpOutlet()
    outlet.stay_away()
    with outlet:
        places = outlet.placeholders()
        with pytest.raises(urllib.error.URLError, match="refused"):
            post(places["http_out"])
        outlet.come_back()
        assert post(places["http_out"]) == 200
        with grpc.insecure_channel(places["grpc_out"]) as channel:
            stub = LogsServiceStub(channel)  # type: ignore[no-untyped-call]
            stub.Export(request(), timeout=DEADLINE_S)
        assert [export.collector for export in outlet.exports()] == ["http", "grpc"]


def test_one_that_is_away_has_the_port_that_was_asked_for() -> None:
    port = free_port()
    outlet = OtlpOutlet(http_port=port)
    outlet.stay_away()
    with outlet:
        assert outlet.placeholders()["http_out"] == f"http://127.0.0.1:{port}"
        outlet.come_back()
        assert post(f"http://127.0.0.1:{port}") == 200


def test_the_port_of_one_that_is_away_may_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        outlet = OtlpOutlet(http_port=other.getsockname()[1])
        outlet.stay_away()
        with pytest.raises(UsageError, match="the downstream"):
            outlet.start()


def test_it_refuses_the_first_requests_and_says_when_to_come_again() -> None:
    outlet = OtlpOutlet()
    outlet.respond_with(Refusals())
    with outlet:
        places = outlet.placeholders()
        for status in (429, 503):
            with pytest.raises(urllib.error.HTTPError, match=str(status)) as refused:
                post(places["http_out"])
            assert refused.value.headers["retry-after"] == "1"
            refused.value.close()
        with grpc.insecure_channel(places["grpc_out"]) as channel:
            stub = LogsServiceStub(channel)  # type: ignore[no-untyped-call]
            with pytest.raises(grpc.RpcError) as error:
                stub.Export(request(), timeout=DEADLINE_S)
            stub.Export(request(), timeout=DEADLINE_S)
        call: Any = error.value
        (told,) = [v for k, v in call.trailing_metadata() if k == "grpc-status-details-bin"]
        info = RetryInfo()
        assert Status.FromString(told).details[0].Unpack(info)
        assert info.retry_delay.seconds == 1
        assert [export.answered for export in outlet.exports()] == [
            *("HTTP 429", "HTTP 503", "RESOURCE_EXHAUSTED", "")
        ]
        assert [bool(export.rejected) for export in outlet.exports()] == [True, True, True, False]
    assert call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_slow_one_takes_what_it_answers_late() -> None:
    slow = Slowness()
    outlet = OtlpOutlet()
    outlet.respond_with(slow)
    with outlet:
        began = time.monotonic()
        assert post(outlet.placeholders()["http_out"]) == 200
        assert time.monotonic() - began >= SLOWLY_S
        (export,) = outlet.exports()
        assert (export.answered, export.rejected) == ("slow", "")
        for _ in range(SLOW - 1):
            assert slow(export) is not None
        assert slow(export) is None
