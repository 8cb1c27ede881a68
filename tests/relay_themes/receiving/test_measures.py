"""What is said of a request, by its answer and by what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.findings import NotExercised
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.mutants import editing
from harness.otlp.messages import Encoding
from harness.otlp.model import Protocol, Signal
from harness.otlp.responses import error_body
from harness.relay import answer_bodies
from harness.relay_themes.receiving.arriving import Arrivals
from harness.relay_themes.receiving.measures import receiving
from harness.relay_themes.receiving.observed import Probed, Probes, Request
from harness.relay_themes.receiving.telemetry import Draft, odd, trace_id

MARKER = "ccotel0123abcd0001"
OTHER = "ccotel0123abcd0002"
ODD = odd(MARKER)
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

Make = Callable[..., Capture]


def probed(**facts: Any) -> Probed:
    request = Request(
        "POST", "/v1/logs", "application/json; charset=utf-8", "", "content-length", 2
    )
    plain = Probed(
        probe="gzip",
        group="valid",
        number=1,
        signal="logs",
        marker=MARKER,
        odd="",
        request=request,
        status="200",
        content_type="Application/JSON",
        content_encoding="",
        retry_after="",
        body={},
        body_error="",
        error="",
        seconds=0.5,
        reused=False,
    )
    return replace(plain, **facts)


def came_out(*markers: str, collector: str = "http", **facts: Any) -> Export:
    """An export of one record for each marker."""
    message = Draft(Protocol.HTTP_JSON, Signal.LOGS, "none").message()
    for marker in markers:
        message.MergeFrom(Draft(Protocol.HTTP_JSON, Signal.LOGS, marker).message())
    for group in message.resource_logs:
        group.scope_logs[0].log_records[0].time_unix_nano = 5
    export = Export(
        sequence=1,
        protocol=Protocol.HTTP_PROTOBUF,
        signal=Signal.LOGS,
        method="POST",
        path="/v1/logs",
        http_version="1.1",
        headers=(),
        body=message.SerializeToString(),
        arrived_unix_nano=1,
        peer="",
        status=200,
        collector=collector,
    )
    return replace(export, **facts)


@pytest.fixture
def view(capture_with: Make) -> Callable[..., dict[str, Any]]:
    def make(one: Probed, *exports: Export, **run: Any) -> dict[str, Any]:
        capture = capture_with(Probes((one,)), Protocol.HTTP_JSON, exports, **run)
        (item,) = receiving(capture)
        return dict(item.view)

    return make


@pytest.mark.parametrize(
    ("times", "fate"), [(0, "lost"), (1, "delivered"), (2, "repeated"), (3, "repeated")]
)
def test_what_was_accepted(view: Callable[..., dict[str, Any]], times: int, fate: str) -> None:
    seen = view(probed(), came_out(*[MARKER] * times), came_out(OTHER))
    assert (seen["outcome"], seen["arrived"], seen["fate"]) == ("accepted", times, fate)
    assert seen["same_content_type"] is True
    assert seen["body"] == "read"


@pytest.mark.parametrize(
    ("status", "outcome", "retried"),
    [
        ("200", "accepted", False),
        ("204", "accepted", False),
        ("OK", "accepted", False),
        ("301", "refused", False),
        ("400", "refused", False),
        ("429", "refused", True),
        ("500", "failed", False),
        ("503", "failed", True),
        ("INVALID_ARGUMENT", "refused", False),
        ("RESOURCE_EXHAUSTED", "refused", False),
        ("INTERNAL", "failed", False),
        ("UNAVAILABLE", "failed", True),
    ],
)
def test_the_answer(
    view: Callable[..., dict[str, Any]], status: str, outcome: str, retried: bool
) -> None:
    seen = view(probed(status=status), traits=("without_outlet",))
    assert (seen["outcome"], seen["retried"], seen["fate"]) == (outcome, retried, outcome)
    assert "arrived" not in seen
    assert ("same_content_type" in seen) is status.isdecimal()


def test_no_answer(view: Callable[..., dict[str, Any]]) -> None:
    seen = view(probed(status="", error="closed"), came_out(MARKER))
    assert (seen["outcome"], seen["fate"], seen["error"]) == ("unanswered", "unanswered", "closed")
    assert seen["arrived"] == 1
    assert "status" not in seen


def test_a_partial_success(view: Callable[..., dict[str, Any]]) -> None:
    rejected = {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "no"}}
    seen = view(probed(body=rejected))
    assert seen["outcome"] == seen["fate"] == "accepted in part"
    assert seen["partial"] == {"rejected": 1, "message": "no"}
    warned = view(probed(body={"partialSuccess": {}}), came_out(MARKER))
    assert (warned["fate"], warned["partial"]) == ("delivered", {"rejected": 0, "message": ""})


def test_a_request_without_a_marker_has_no_fate(view: Callable[..., dict[str, Any]]) -> None:
    seen = view(probed(marker=""), came_out(MARKER))
    assert seen["fate"] == "accepted"
    assert "arrived" not in seen


def times(*exports: Export, marker: str = MARKER, signal: str = "logs") -> int:
    return Arrivals(exports).times(signal, marker)


def test_where_an_item_is_looked_for() -> None:
    assert times(came_out(MARKER, OTHER)) == times(came_out(MARKER, OTHER), marker=OTHER) == 1
    # Not in what was sent, refused, or of another signal.
    assert times(came_out(MARKER, collector="sent")) == 0
    assert times(came_out(MARKER, rejected="no")) == 0
    assert times(came_out(MARKER, signal=Signal.TRACES)) == 0
    # Several outlets show the same item; one that is scraped shows it again and again.
    assert times(came_out(MARKER), came_out(MARKER, collector="file")) == 1
    assert times(*[came_out(MARKER, collector="scrape")] * 3) == 1
    assert times(*[came_out(MARKER)] * 2) == 2


def test_points_of_one_series_at_several_times_are_no_repetition() -> None:
    def point(moment: int) -> Export:
        message = Draft(Protocol.GRPC, Signal.METRICS, MARKER).message()
        sent = message.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
        sent.time_unix_nano = moment
        return came_out(signal=Signal.METRICS, body=message.SerializeToString())

    assert times(point(1), point(2), signal="metrics") == 1
    assert times(point(1), point(1), signal="metrics") == 2


def test_an_item_in_a_request_that_cannot_be_read_came_out() -> None:
    broken = came_out(MARKER, OTHER)
    spoilt = replace(broken, body=broken.body.replace(b"claude-code", b"\xff" * 11))
    assert spoilt.decode_error is not None
    assert times(spoilt) == times(spoilt, marker=OTHER) == 1
    assert Arrivals([spoilt]).changes("logs", MARKER, OTHER) is None


def edited(edit: Callable[[Any], object], marker: str = MARKER) -> Export:
    """An export of one record that is edited."""
    message = Draft(Protocol.HTTP_JSON, Signal.LOGS, marker).message()
    edit(message.resource_logs[0].scope_logs[0].log_records[0])
    return came_out(body=message.SerializeToString())


def test_an_item_is_compared_with_another_of_the_same_outlet() -> None:
    def changes(*exports: Export) -> list[str] | None:
        return Arrivals(exports).changes("logs", MARKER, OTHER)

    assert changes(came_out(MARKER), came_out(OTHER)) == []
    assert changes(came_out(MARKER, collector="file"), came_out(OTHER)) is None
    assert changes(came_out(MARKER)) is changes(came_out(OTHER)) is None
    retyped = edited(
        lambda record: editing.put_attribute(record.attributes, "input_tokens", "1024")
    )
    assert changes(retyped, came_out(OTHER)) == [
        'attributes.input_tokens is "1024" (string), else 1024 (integer)'
    ]
    without = edited(lambda record: editing.drop_attribute(record.attributes, "model"))
    assert changes(without, came_out(OTHER)) == ["attributes.model is left out"]
    # What the pipeline adds, or does to both alike, is no change.
    added = edited(lambda record: editing.put_attribute(record.attributes, "peer", "1"))
    assert changes(added, came_out(OTHER)) == []
    like = edited(lambda record: editing.drop_attribute(record.attributes, "model"), OTHER)
    assert changes(without, like) == []


@pytest.mark.parametrize(
    ("found", "trace"),
    [
        (b"", "none"),
        (b"\1\2\3", "none"),
        (bytes(16), "none"),
        (b"\7" * 16, "another"),
        (trace_id(MARKER), "its own"),
    ],
)
def test_the_trace_of_an_item(found: bytes, trace: str) -> None:
    placed = edited(lambda record: setattr(record, "trace_id", found))
    assert Arrivals([placed]).trace("logs", MARKER) == trace
    assert Arrivals([]).trace("logs", MARKER) is None


@pytest.mark.parametrize(
    ("rejected", "markers", "untold"),
    [
        ("", (MARKER, ODD), 0),
        ("", (MARKER,), 1),
        ("1", (MARKER,), 0),
        ("1", (MARKER, ODD), -1),
        ("2", (), 0),
    ],
)
def test_an_odd_item_comes_out_or_is_said_to_be_rejected(
    view: Callable[..., dict[str, Any]], rejected: str, markers: tuple[str, ...], untold: int
) -> None:
    body = {"partialSuccess": {"rejectedLogRecords": rejected}} if rejected else {}
    assert view(probed(odd=ODD, body=body), came_out(*markers))["untold"] == untold


@pytest.mark.parametrize(
    ("partial", "notice"),
    [
        (None, "none"),
        ({}, "empty"),
        ({"errorMessage": "delta is slow"}, "warning"),
        ({"rejectedSpans": "1"}, "rejection"),
    ],
)
def test_what_a_success_says_besides(
    view: Callable[..., dict[str, Any]], partial: dict[str, str] | None, notice: str
) -> None:
    body = {} if partial is None else {"partialSuccess": partial}
    assert view(probed(body=body))["notice"] == notice
    assert "notice" not in view(probed(status="400", body={"message": "no"}))


def test_a_server_that_will_recover_is_asked_again(view: Callable[..., dict[str, Any]]) -> None:
    status = Status(message="m")
    status.details.add().Pack(RetryInfo())
    told = answer_bodies.refusal("busy", status.SerializeToString())
    assert told.value == {
        "code": 0,
        "message": "busy",
        "details": ["type.googleapis.com/google.rpc.RetryInfo"],
    }
    assert view(probed(status="RESOURCE_EXHAUSTED", body=told.value))["retried"] is True
    alone = answer_bodies.refusal("busy", b"")
    assert view(probed(status="RESOURCE_EXHAUSTED", body=alone.value))["retried"] is False
    broken = answer_bodies.refusal("busy", b"\xff")
    assert broken.value == {"message": "busy"}
    assert broken.error.startswith("no Status in grpc-status-details-bin: ")


def test_a_marker_in_the_body_or_the_name(view: Callable[..., dict[str, Any]]) -> None:
    message = Draft(Protocol.GRPC, Signal.LOGS, "none").message()
    record = message.resource_logs[0].scope_logs[0].log_records[0]
    record.body.string_value = f'{{"session.id": "{MARKER}"}}'
    moved = came_out(body=message.SerializeToString())
    assert view(probed(), moved)["fate"] == "delivered"
    message = Draft(Protocol.GRPC, Signal.TRACES, "none").message()
    message.resource_spans[0].scope_spans[0].spans[0].name = f"request {MARKER}"
    moved = came_out(signal=Signal.TRACES, body=message.SerializeToString())
    assert view(probed(signal="traces"), moved)["fate"] == "delivered"


def test_what_no_request_was_about_is_said(
    capture_with: Make,
    promises: tuple[Contract, tuple[Requirement, ...]],
    viewed: Callable[..., list[CaptureView]],
) -> None:
    contract, _ = promises
    requirement = contract.requirement("receiving.authentication.anonymous")
    some = capture_with(Probes((probed(),)), Protocol.GRPC, ())
    none = capture_with(Probes(()), Protocol.GRPC, ())
    reasons = [
        Judge(contract).judge(requirement, viewed([capture])).outcome for capture in (some, none)
    ]
    assert reasons == [
        NotExercised('nothing measured as receiving has {"probe": "anonymous"}'),
        NotExercised("no run gave anything to measure as receiving"),
    ]


def test_a_run_of_another_scenario_has_no_items(capture_with: Make) -> None:
    capture = capture_with(Probes(()), Protocol.GRPC, ())
    assert receiving(capture) == []
    other = replace(capture, run=replace(capture.run, observed={}))
    assert receiving(other) == []


def test_bodies_are_read_in_the_encoding_of_the_request() -> None:
    read = answer_bodies.success(Signal.LOGS, Encoding.JSON, b'{"partialSuccess":{},"new":1}')
    assert read.value == {"partialSuccess": {}}
    assert answer_bodies.success(Signal.LOGS, Encoding.PROTOBUF, b"").value == {}
    assert answer_bodies.success(Signal.LOGS, Encoding.JSON, b"").error.startswith(
        "no ExportLogsServiceResponse: body is not JSON"
    )
    assert answer_bodies.success(Signal.LOGS, Encoding.PROTOBUF, b"{}").error
    status = answer_bodies.failure(Encoding.JSON, b'{"message":"m","details":[{"@type":"t"}]}')
    assert status.value == {"code": 0, "message": "m", "details": ["t"]}
    for encoding in Encoding:
        bad = answer_bodies.failure(encoding, error_body(encoding, 3, "bad"))
        assert bad.value == {"code": 3, "message": "bad", "details": [BAD_REQUEST]}
    words = answer_bodies.failure(Encoding.PROTOBUF, b"404 page not found")
    assert words.error.startswith("no Status: ")
    assert "'404 page not found'" in words.error
    assert answer_bodies.failure(Encoding.JSON, b"{}", "gzip").error
