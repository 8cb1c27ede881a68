"""Decide whether and when a request is sent again, as OTLP asks of clients."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from ..relay.answer import Answer
from ..relay.sending import refusal

#: So often a request is sent at most, with pauses that grow from the first to the longest.
ATTEMPTS = 5
_FIRST_PAUSE_S, _GROWTH, _LONGEST_PAUSE_S = 1.0, 1.5, 5.0
#: A collector that asks for a longer pause is not asked again, in seconds.
_LONGEST_ASKED_S = 60.0

_HTTP = frozenset({429, 502, 503, 504})
_GRPC = frozenset(
    {
        *("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE"),
        *("DATA_LOSS",),
    }
)
_THROTTLED = "RESOURCE_EXHAUSTED"
_DETAILS = "grpc-status-details-bin"


def pause_before_retry(answer: Answer, attempt: int) -> float | None:
    """Return how long to wait before a request is sent again; None if it is not to be.

    ``attempt`` is the number of the one that ``answer`` belongs to, from 1.
    """
    if not refusal(answer) or attempt >= ATTEMPTS:
        return None
    asked_s = _asked(answer)
    throttled = answer.code == _THROTTLED and asked_s is not None
    if not (answer.error or answer.status in _HTTP or answer.code in _GRPC or throttled):
        return None
    pause_s = min(_FIRST_PAUSE_S * _GROWTH ** (attempt - 1), _LONGEST_PAUSE_S)
    if asked_s is None:
        return pause_s
    return asked_s if asked_s <= _LONGEST_ASKED_S else None


def _asked(answer: Answer) -> float | None:
    """Return the pause that a collector asks for: Retry-After, or RetryInfo."""
    if answer.status is not None:
        return _retry_after(answer.header("retry-after"))
    for name, value in answer.trailers:
        if name == _DETAILS and isinstance(value, bytes):
            info = RetryInfo()
            for detail in Status.FromString(value).details:
                if detail.Unpack(info):
                    nanos: int = info.retry_delay.ToNanoseconds()
                return nanos / 1e9
    return None


def _retry_after(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
