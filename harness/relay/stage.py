"""The surroundings of one run: the collector under test, what we send to it, and its outlets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.run import GroundTruth
from ..clock import monotonic_s
from ..errors import DeadlineExceeded
from ..otlp.model import Protocol as OtlpProtocol
from .endpoint import Endpoint
from .outlets.base import Outlet
from .outlets.otlp import OtlpOutlet
from .replay import Recorded, body
from .sending import Sender

#: Outlets that show sums of points, not each of them.
SHOWING_SUMS = frozenset({"scrape", "write"})
_NO_NEWS_S = 1.0


class Restart(Protocol):
    """Restarts the collector; see :meth:`harness.relay.target.Started.restart`."""

    def __call__(self, *, killed: bool = False) -> int: ...


def _no_restart(*, killed: bool = False) -> int:
    raise RuntimeError("a collector that runs already cannot be restarted")


@dataclass(slots=True)
class RelayStage:
    """Everything that a scenario can act on and look at while it sends.

    ``sessions`` are the recordings that are to be sent, each one session. ``settle_s`` is for how
    long nothing may have come out before it counts as all that will. ``restart`` ends the
    collector, or kills it, starts it again, and returns when it was down. ``truth`` is what is
    known of the sessions, and ``traits`` are what distinguishes the run from others.
    """

    protocol: OtlpProtocol
    endpoint: Endpoint
    outlets: Sequence[Outlet]
    sessions: Sequence[Capture]
    settle_s: float
    restart: Restart = _no_restart
    truth: GroundTruth = field(default_factory=GroundTruth)
    traits: tuple[str, ...] = ()
    _sent: list[Export] = field(default_factory=list)
    _forgotten: int = 0

    @property
    def sent(self) -> tuple[Export, ...]:
        """Every request that was sent so far, with the collector's answer."""
        return tuple(self._sent)

    def came_out(self) -> tuple[Export, ...]:
        """Return everything that came out so far, of all outlets."""
        return tuple(export for outlet in self.outlets for export in outlet.exports())

    def send(self, requests: Sequence[Recorded]) -> None:
        """Send requests one after the other on one connection, and note the answers."""
        with Sender(self.endpoint, self.protocol) as sender:
            for request in requests:
                content = body(request.message, self.protocol)
                self._sent.append(sender.send(request.signal, content))

    def note(self, exports: Sequence[Export], forgotten: int) -> None:
        """Note requests that somebody else sent to the collector, and how many are not known."""
        self._sent += exports
        self._forgotten += forgotten

    def send_together(self, several: Sequence[Sequence[Recorded]]) -> None:
        """Send each of ``several`` as :meth:`send` does, all at the same time."""
        with ThreadPoolExecutor(max(1, len(several)), thread_name_prefix="session") as threads:
            for sent in [threads.submit(self.send, requests) for requests in several]:
                sent.result()

    @property
    def downstreams(self) -> tuple[OtlpOutlet, ...]:
        """The outlets at which we are the downstream, over OTLP."""
        return tuple(outlet for outlet in self.outlets if isinstance(outlet, OtlpOutlet))

    def show_sums(self) -> None:
        """Wait until every outlet that is looked at, and shows sums, has shown what it will."""
        for outlet in self.outlets:
            if outlet.name in SHOWING_SUMS:
                self._settle([outlet], 0)

    def settle(self, items: int) -> None:
        """Wait until ``items`` came out of each outlet that shows every one, or nothing more does.

        Nothing more comes out if nothing has for ``settle_s`` seconds. Of an outlet that shows
        sums, nobody knows how many samples are all: a second without news is enough.
        """
        self._settle(self.outlets, items)

    def _settle(self, outlets: Sequence[Outlet], items: int) -> None:
        last: tuple[int, ...] = ()
        quiet_since = monotonic_s()
        while outlets:
            counts = tuple(_items(outlet.exports()) for outlet in outlets)
            if counts != last:
                last, quiet_since = counts, monotonic_s()
            quiet_s = monotonic_s() - quiet_since
            waiting = [
                (count, outlet)
                for count, outlet in zip(counts, outlets, strict=True)
                if not (
                    quiet_s >= min(_NO_NEWS_S, self.settle_s)
                    if outlet.name in SHOWING_SUMS
                    else count >= items
                )
            ]
            if not waiting or quiet_s >= self.settle_s:
                return
            count, outlet = waiting[0]
            _wait_for_more(outlet, count, min(self.settle_s - quiet_s, _NO_NEWS_S))

    def exports(self) -> tuple[Export, ...]:
        """Return what was sent and what came out, numbered in order of time."""
        together = sorted(
            (*self.sent, *self.came_out()), key=lambda export: export.arrived_unix_nano
        )
        return tuple(replace(each, sequence=n) for n, each in enumerate(together, start=1))

    @property
    def forgotten(self) -> int:
        """The number of requests that were dropped because of the memory limit, on both sides."""
        return self._forgotten + sum(outlet.forgotten for outlet in self.outlets)


def _items(exports: Sequence[Export]) -> int:
    return sum(len(export.items) for export in exports if not export.rejected)


def _wait_for_more(outlet: Outlet, count: int, deadline_s: float) -> None:
    try:
        outlet.wait_for(lambda exports: _items(exports) > count, deadline_s, "more items")
    except DeadlineExceeded:
        return
