"""What is sent again, and after what pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from harness.load.retrying import ATTEMPTS, pause_before_retry
from harness.relay.answer import Answer


def throttled(seconds: int) -> tuple[tuple[str, bytes], ...]:
    detail = Any()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    return (("grpc-status-details-bin", Status(details=[detail]).SerializeToString()),)


@pytest.mark.parametrize(
    ("answer", "pause_s"),
    [
        (Answer(status=200), None),
        (Answer(code="OK"), None),
        (Answer(status=400), None),
        (Answer(status=401), None),
        (Answer(status=500), None),
        (Answer(status=429), 1.0),
        (Answer(status=502), 1.0),
        (Answer(status=503), 1.0),
        (Answer(status=504), 1.0),
        (Answer(status=503, headers=(("Retry-After", "7"),)), 7.0),
        (Answer(status=503, headers=(("retry-after", "0"),)), 0.0),
        (Answer(status=503, headers=(("retry-after", "61"),)), None),
        (Answer(status=503, headers=(("retry-after", "soon"),)), 1.0),
        (Answer(status=503, headers=(("retry-after", "Fri, 13 Feb 2009 23:31:30 GMT"),)), 0.0),
        (Answer(error="closed"), 1.0),
        (Answer(code="UNAVAILABLE"), 1.0),
        (Answer(code="DATA_LOSS"), 1.0),
        (Answer(code="INVALID_ARGUMENT"), None),
        (Answer(code="UNAUTHENTICATED"), None),
        (Answer(code="RESOURCE_EXHAUSTED"), None),
        (Answer(code="RESOURCE_EXHAUSTED", trailers=throttled(2)), 2.0),
        (Answer(code="UNAVAILABLE", trailers=throttled(0)), 0.0),
    ],
    ids=str,
)
def test_what_is_sent_again(answer: Answer, pause_s: float | None) -> None:
    assert pause_before_retry(answer, 1) == pause_s


def test_a_date_is_waited_for() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    pause_s = pause_before_retry(Answer(status=503, headers=(("retry-after", moment),)), 1)
    assert pause_s is not None
    assert 0 < pause_s <= 60


def test_pauses_grow_and_end() -> None:
    answer = Answer(status=503)
    pauses = [pause_before_retry(answer, attempt) for attempt in range(1, ATTEMPTS + 1)]
    assert pauses == [1.0, 1.5, 2.25, 3.375, None]
