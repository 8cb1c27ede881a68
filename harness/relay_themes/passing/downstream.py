"""Answer as a downstream in trouble does: refuse for a while, or take long."""

from __future__ import annotations

import threading

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from ...capture.export import Export
from ...collector.answer import CollectorResponse
from ...otlp.model import Protocol
from .observed import RETRY_AFTER_S

#: So many requests meet with trouble, of both kinds of refusal if there are two.
REFUSED = 3
SLOW = 3
SLOWLY_S = 1.0
#: HTTP's status and gRPC's code of the refusals, in turn: overloaded, and too much.
_REFUSALS = (
    (503, grpc.StatusCode.UNAVAILABLE),
    (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
)


class _First:
    """Counts requests, from whichever thread they come."""

    def __init__(self, several: int) -> None:
        self._left = several
        self._turn = threading.Lock()

    def take(self) -> int | None:
        """Return how many were before this one; None after the first few."""
        with self._turn:
            self._left -= 1
            return None if self._left < 0 else self._left


class Refusals:
    """Refuses the first requests, and says after which time to send them again."""

    def __init__(self) -> None:
        self._first = _First(REFUSED)

    def __call__(self, export: Export) -> CollectorResponse | None:
        number = self._first.take()
        if number is None:
            return None
        status, code = _REFUSALS[(number + 1) % len(_REFUSALS)]
        over_grpc = export.protocol is Protocol.GRPC
        delay: tuple[str, str | bytes] = ("retry-after", str(RETRY_AFTER_S))
        if over_grpc:
            delay = ("grpc-status-details-bin", _details(code))
        return CollectorResponse(
            http_status=status,
            grpc_code=code.value[0],
            message=f"to be sent again after {RETRY_AFTER_S} s",
            headers=(delay,),
            called=code.name if over_grpc else f"HTTP {status}",
        )


def _details(code: grpc.StatusCode) -> bytes:
    info = Any()
    info.Pack(RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER_S)))
    status = Status(code=code.value[0], message="later", details=[info])
    written: bytes = status.SerializeToString()
    return written


class Slowness:
    """Takes the first requests, and answers them late."""

    def __init__(self) -> None:
        self._first = _First(SLOW)

    def __call__(self, export: Export) -> CollectorResponse | None:
        slow = self._first.take() is not None
        return CollectorResponse(hold_s=SLOWLY_S, called="slow") if slow else None
