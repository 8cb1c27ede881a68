"""Responders that make a collector refuse, delay or partially accept requests."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from ..capture.deliveries import Deliveries, Delivery
from ..capture.export import Export
from ..clock import time_ns
from ..collector.answer import CollectorResponse
from ..otlp.model import Protocol, Signal
from ..otlp.responses import partial_success_body


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to one delivery, for the first ``times`` attempts at it.

    ``delay_s`` asks the client to wait: by ``Retry-After`` (seconds, or the HTTP date of a moment
    that is no earlier) and, over gRPC, by ``RetryInfo``. ``rejected`` makes it a partial
    success. ``hold_s``: the response is sent only after so many seconds.
    """

    called: str
    http_status: int = 200
    grpc_code: int = 0
    times: int = 1
    message: str = "scripted"
    delay_s: int | None = None
    as_date: bool = False
    rejected: int | None = None
    hold_s: float = 0.0

    @property
    def watched_s(self) -> float:
        """The time after which a delivery that was not sent again counts as given up.

        A delay that was asked for may become a second longer if sent as a date, and clients that
        were not asked for a delay retry after one second or sooner.
        """
        return (self.delay_s or 1) + 1.5

    def answer(self, export: Export) -> CollectorResponse:
        """Build the collector's response to ``export``."""
        assert export.signal is not None
        assert export.encoding is not None
        body = None
        if self.rejected is not None:
            body = partial_success_body(export.signal, export.encoding, self.rejected, self.message)
        return CollectorResponse(
            self.http_status,
            self.grpc_code,
            self.message,
            self._headers(export.protocol),
            body,
            self.called,
            self.hold_s,
        )

    def _headers(self, protocol: Protocol | None) -> tuple[tuple[str, str | bytes], ...]:
        if self.delay_s is None:
            return ()
        if protocol is Protocol.GRPC:
            status = Status(code=self.grpc_code, message=self.message)
            detail = AnyMessage()
            detail.Pack(RetryInfo(retry_delay=Duration(seconds=self.delay_s)))
            status.details.append(detail)
            return (("grpc-status-details-bin", status.SerializeToString()),)
        if self.as_date:
            # A date has whole seconds.
            moment = math.ceil(time.time()) + self.delay_s
            return (("retry-after", formatdate(moment, usegmt=True)),)
        return (("retry-after", str(self.delay_s)),)


UNAVAILABLE = Reply("unavailable", 503, 14)


class Scripted:
    """A responder that answers each delivery of a signal by the next reply of ``plan``.

    Retries after a reply's ``times`` are accepted. Deliveries after the plan get ``finally_``,
    or full success without it.
    """

    def __init__(
        self, plan: Mapping[Signal, Sequence[Reply]], finally_: Reply | None = None
    ) -> None:
        self._plan = {signal: deque(replies) for signal, replies in plan.items()}
        self._finally = finally_
        self._deliveries = Deliveries()
        self._replies: dict[Delivery, Reply] = {}

    def __call__(self, export: Export) -> CollectorResponse | None:
        touched = self._deliveries.add(export)
        for delivery in touched:
            if len(delivery.attempts) == 1 and (reply := self._next(export.signal)):
                self._replies[delivery] = reply
        for delivery in touched:
            reply = self._replies.get(delivery)
            if reply and len(delivery.attempts) <= reply.times:
                return reply.answer(export)
        return None

    def _next(self, signal: Signal | None) -> Reply | None:
        left = self._plan.get(signal) if signal else None
        return left.popleft() if left else self._finally

    def settled(self) -> bool:
        """Say whether the whole plan was used, and the client's reaction to each reply is known.

        It sent the delivery again and that was accepted, or has not for long enough.
        """
        if any(self._plan.values()):
            return False
        now = time_ns()
        # The server's threads add to it.
        return all(
            len(delivery.attempts) > reply.times
            or now - delivery.attempts[-1].arrived_unix_nano > reply.watched_s * 1e9
            for delivery, reply in list(self._replies.items())
        )


def refuses_the_first() -> Scripted:
    """Return a responder that answers 503 (UNAVAILABLE) to the first delivery of each signal."""
    return Scripted(dict.fromkeys(Signal, (UNAVAILABLE,)))
