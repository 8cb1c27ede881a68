"""Count what came out downstream of a collector under load, and how long it took."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..capture.export import Export
from ..collector.collector import Collector
from ..otlp.model import Signal
from ..record.latency import Distribution, Latency
from ..relay.arriving import identity
from .order import Order, Prepared
from .sending import NOTE_FIELDS

#: How much may be held until it is counted: it is counted when everything was sent.
LIMIT_BYTES = 1024**3
#: For how long nothing may come after everything has, in seconds.
_AGAIN_S = 1.0


@dataclass(slots=True)
class Arrived:
    """What came out, beside what was sent.

    Of the items in accepted requests, ``came`` out once, and ``lost`` ones never. ``repeated``
    came out once more, ``unexpected`` were accepted by nobody, and are no loss, or were never
    sent. ``forgotten`` exports came over our limit: then nobody can tell what is lost.
    """

    came: int = 0
    lost: Counter[Signal] = field(default_factory=Counter)
    repeated: int = 0
    unexpected: int = 0
    forgotten: int = 0
    taken: dict[Signal, Distribution] = field(default_factory=lambda: defaultdict(Distribution))

    def latencies(self, where: str) -> tuple[Latency, ...]:
        """Return how long the items took, by signal, always in the same order."""
        there = [signal for signal in Signal if signal in self.taken]
        return tuple(Latency.of(where, signal, self.taken[signal]) for signal in there)

    @property
    def failed(self) -> bool:
        """Whether anything was lost or repeated."""
        return bool(self.lost.total() or self.repeated)


class Arrivals:
    """Everything that is expected downstream, item by item, and what of it has come.

    Items are recognised by hashes of their identities, of which few are alike: so of equal ones
    only the number is compared.
    """

    def __init__(self, order: Order, notes: array[int]) -> None:
        self._expected: dict[Signal, Counter[int]] = defaultdict(Counter)
        self._known: set[int] = set()
        self._tolerated: Counter[int] = Counter()
        self._sent_unix_nano: dict[int, int] = {}
        prepared = Prepared.of(order)
        for number, ends, noted in _sessions(notes):
            session = prepared.numbered(number)
            copies = session.identities(ends_unix_nano=ends, salt=order.salt(number))
            for place, sent_unix_nano, accepted in noted:
                signal = session.requests[place].signal
                own = self._expected[signal] if accepted else self._tolerated
                for each in map(hash, copies[place]):
                    own[each] += 1
                    self._sent_unix_nano.setdefault(each, sent_unix_nano)
        self.arrived = Arrived()
        self._left = sum(each.total() for each in self._expected.values())

    def count(self, outlet: Collector, quiet_s: float) -> Arrived:
        """Count what has come, until nothing has for ``quiet_s`` seconds, or all has for one."""
        seen = 0
        while True:
            held, forgotten = outlet.store.snapshot()
            new = held[max(0, seen - forgotten) :]
            seen = forgotten + len(held)
            for export in new:
                self._take(export)
            # What has come already may come again.
            patience_s = quiet_s if self._left else min(quiet_s, _AGAIN_S)
            if not outlet.store.wait_for_more(seen, patience_s):
                break
        self.arrived.forgotten = outlet.store.forgotten
        for signal, left in self._expected.items():
            self.arrived.lost[signal] += left.total()
        return self.arrived

    def _take(self, export: Export) -> None:
        if export.rejected or export.signal is None:
            return
        expected = self._expected[export.signal]
        for item in export.items:
            key = hash(identity(item))
            if expected[key] > 0:
                expected[key] -= 1
                self._left -= 1
                self.arrived.came += 1
                took = export.arrived_unix_nano - self._sent_unix_nano[key]
                self.arrived.taken[export.signal].add(took / 1e9)
            elif self._tolerated[key] > 0:
                self._tolerated[key] -= 1
                self.arrived.unexpected += 1
            elif key in self._sent_unix_nano:
                self.arrived.repeated += 1
            else:
                self.arrived.unexpected += 1


def _sessions(notes: array[int]) -> Iterator[tuple[int, int, list[tuple[int, int, bool]]]]:
    """Yield each copy's number, its end, and of its requests place, time and acceptance."""
    copies: dict[int, tuple[int, list[tuple[int, int, bool]]]] = {}
    for start in range(0, len(notes), NOTE_FIELDS):
        number, ends, place, sent_unix_nano, accepted = notes[start : start + NOTE_FIELDS]
        _, noted = copies.setdefault(number, (ends, []))
        noted.append((place, sent_unix_nano, bool(accepted)))
    for number, (ends, noted) in copies.items():
        yield number, ends, noted
