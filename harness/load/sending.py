"""Send copies of sessions at a rate from one event loop, and count what is answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections.abc import Callable

from ..otlp.messages import ENCODINGS
from ..otlp.model import Protocol, Signal
from ..relay.sending import endpoint_for, refusal, rejected_items
from .channels import Channel, channel_to
from .counts import Counts
from .order import Order, Prepared
from .prepared import PreparedSession
from .retrying import pause_before_retry

#: How often a process looks whether it gets its turn, and tells what it has counted, in seconds.
_BEAT_S = 0.05
_TELL_S = 0.5

#: What is noted of a request: the number of its copy and when that ends, its place in the session
#: (from 0), when it was first sent, and 1 if it was accepted in the end, else 0.
NOTE_FIELDS = 5


class Sending:
    """One process's share of an order: every ``processes``-th copy, beginning with ``share``.

    ``stop`` ends it early: requests under way are finished, and nothing else is sent.
    """

    def __init__(self, order: Order, prepared: Prepared, share: int) -> None:
        self._order = order
        self._prepared = prepared
        self._share = share
        self._next = share
        self._stopped = False
        self.counts = Counts()
        #: NOTE_FIELDS numbers for each request, if the order wants them.
        self.notes = array("q")

    def stop(self) -> None:
        """Let nothing else begin."""
        self._stopped = True

    async def run(self, begins: float, tell: Callable[[Counts], None]) -> None:
        """Send from ``begins`` (of ``time.monotonic``) on; ``tell`` gets the counts meanwhile."""
        cpu_began = time.process_time()
        beat = asyncio.create_task(self._beat(begins, tell))
        order = self._order
        lanes = max(1, -(-(order.connections - self._share) // order.processes))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(begins))
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
        self.counts.cpu_s = time.process_time() - cpu_began
        self.counts.wall_s = time.monotonic() - begins

    async def _lane(self, begins: float) -> None:
        """Send one session after the other, each protocol's on a connection of its own."""
        order = self._order
        channels: dict[Protocol, Channel] = {}
        try:
            while (number := self._take()) is not None:
                due = begins if order.rate is None else begins + number / order.rate
                if order.seconds is not None and due >= begins + order.seconds:
                    return
                if not await self._await_turn(due, begins):
                    return
                session = self._prepared.numbered(number)
                if session.protocol not in channels:
                    endpoint = endpoint_for(session.protocol, order.endpoints)
                    assert endpoint is not None, "the order has an endpoint for each protocol"
                    channels[session.protocol] = channel_to(endpoint, session.protocol)
                await self._send(channels[session.protocol], session, number)
        finally:
            for channel in channels.values():
                await channel.close()

    def _take(self) -> int | None:
        number = self._next
        if self._order.sessions is not None and number >= self._order.sessions:
            return None
        self._next += self._order.processes
        return number

    async def _await_turn(self, due: float, begins: float) -> bool:
        """Wait until a session is due; return whether it may still begin."""
        if not await self._sleep_until(due):
            return False
        now = time.monotonic()
        if self._order.rate is not None:
            self.counts.late_s = max(self.counts.late_s, now - due)
        ends = None if self._order.seconds is None else begins + self._order.seconds
        return ends is None or now < ends

    async def _sleep_until(self, moment: float) -> bool:
        """Sleep; return whether anything may still begin then."""
        while (left := moment - time.monotonic()) > 0 and not self._stopped:
            await asyncio.sleep(min(left, _TELL_S))
        return not self._stopped

    async def _send(self, channel: Channel, session: PreparedSession, number: int) -> None:
        ends = time.time_ns()
        bodies = session.copy(ends_unix_nano=ends, salt=self._order.salt(number))
        self.counts.sessions += 1
        for place, (request, body) in enumerate(zip(session.requests, bodies, strict=True)):
            if self._stopped:
                return
            sent_unix_nano = time.time_ns()
            self.counts.requests += 1
            self.counts.items[request.signal] += len(request.items)
            self.counts.bytes += len(body)
            accepted = await self._deliver(channel, session.protocol, request.signal, body)
            if self._order.noting:
                self.notes.extend((number, ends, place, sent_unix_nano, accepted))

    async def _deliver(
        self, channel: Channel, protocol: Protocol, signal: Signal, body: bytes
    ) -> bool:
        """Send a request until it is accepted or given up; return whether it was accepted."""
        counts = self.counts
        attempt = 1
        while True:
            answer = await channel.send(signal, body)
            why = refusal(answer)
            if not answer.error:
                counts.answers.add(answer.seconds)
            if not why:
                counts.accepted += 1
                counts.rejected_items += rejected_items(answer, signal, ENCODINGS[protocol])[0]
                return True
            counts.reasons[why] += 1
            pause_s = pause_before_retry(answer, attempt)
            if pause_s is None or not await self._sleep_until(time.monotonic() + pause_s):
                if answer.error:
                    counts.unanswered += 1
                else:
                    counts.refused += 1
                return False
            counts.retried += 1
            attempt += 1

    async def _beat(self, begins: float, tell: Callable[[Counts], None]) -> None:
        """Note for how long this process gets no turn, and tell what was counted."""
        told = time.monotonic()
        while True:
            slept = time.monotonic()
            await asyncio.sleep(_BEAT_S)
            now = time.monotonic()
            if slept >= begins:
                self.counts.behind_s += now - slept - _BEAT_S
            if now - told >= _TELL_S:
                told = now
                tell(self.counts)
