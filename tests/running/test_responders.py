"""Collectors with a script: one reply for each delivery, whatever else comes between."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from harness.capture.export import Export
from harness.otlp.codec import encode
from harness.otlp.messages import ENCODINGS, ExportLogsServiceRequest
from harness.otlp.model import Protocol, Signal
from harness.running.responders import UNAVAILABLE, Reply, Scripted, refuses_the_first


def export(body: str, protocol: Protocol = Protocol.HTTP_JSON, **fields: Any) -> Export:
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1)
    record.body.string_value = body
    sent = encode(message, ENCODINGS[protocol])
    now = fields.pop("arrived", time.time_ns())
    return Export(0, protocol, Signal.LOGS, "POST", "/", "1.1", (), sent, now, "", 200)


def called(responder: Scripted, *bodies: str) -> list[str | None]:
    answers = [responder(export(body)) for body in bodies]
    return [answer.called if answer else None for answer in answers]


def test_each_delivery_has_its_reply_and_is_taken_after_that() -> None:
    plan = {Signal.LOGS: (UNAVAILABLE, Reply("internal", 500, 13), Reply("twice", 503, times=2))}
    responder = Scripted(plan)
    assert called(responder, "a", "b", "a", "c", "b", "c", "c", "d") == [
        "unavailable",
        "internal",
        None,
        "twice",
        None,
        "twice",
        None,
        None,
    ]


def test_after_the_plan_every_delivery_may_have_the_same_reply() -> None:
    responder = Scripted({Signal.LOGS: (Reply("taken"),)}, finally_=Reply("held", hold_s=9))
    assert called(responder, "a", "b", "c") == ["taken", "held", "held"]


def test_the_first_of_each_signal_is_refused() -> None:
    assert called(refuses_the_first(), "a", "b", "a") == ["unavailable", None, None]


def test_it_is_settled_when_all_came_again_or_had_the_time_to() -> None:
    long_ago = time.time_ns() - 3_000_000_000
    responder = Scripted({Signal.LOGS: (UNAVAILABLE, UNAVAILABLE, Reply("asks", 503, delay_s=2))})
    responder(export("a", arrived=long_ago))
    assert not responder.settled(), "not all of the plan was given"
    responder(export("b"))
    responder(export("c", arrived=long_ago))
    assert not responder.settled(), "b may come again"
    responder(export("b"))
    assert not responder.settled(), "c was asked to wait, and may come yet"
    responder(export("c"))
    assert responder.settled()


def test_a_delay_is_told_in_seconds_as_a_date_and_over_grpc() -> None:
    reply = Reply("later", 503, 14, message="later", delay_s=2)
    now = time.time()
    assert reply.answer(export("a")).headers == (("retry-after", "2"),)
    ((_, date),) = replace(reply, as_date=True).answer(export("a")).headers
    assert isinstance(date, str)
    assert now + 2 <= parsedate_to_datetime(date).timestamp() <= time.time() + 3
    ((name, detail),) = reply.answer(export("a", Protocol.GRPC)).headers
    assert name == "grpc-status-details-bin"
    assert isinstance(detail, bytes)
    status, info = Status.FromString(detail), RetryInfo()
    assert (status.code, status.message) == (14, "later")
    assert status.details[0].Unpack(info)
    assert info.retry_delay.ToSeconds() == 2


@pytest.mark.parametrize("protocol", Protocol)
def test_a_partial_success_is_told_in_the_encoding_of_the_request(protocol: Protocol) -> None:
    answer = Reply("part", rejected=1, message="one of them").answer(export("a", protocol))
    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = 1
    response.partial_success.error_message = "one of them"
    assert (answer.http_status, answer.grpc_code) == (200, 0)
    assert answer.body == encode(response, ENCODINGS[protocol])
