"""Count what a load generator sent and what was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..otlp.model import Signal
from ..record.latency import Distribution


@dataclass(slots=True)
class Counts:
    """What was sent, and what became of it; those of several processes can be joined.

    ``requests`` and their ``items``, by signal, and ``bytes`` are counted once, however often
    they were sent again; each is in the end ``accepted``, ``refused`` or ``unanswered``.
    ``retried`` counts what was sent again, ``rejected_items`` what answers of success say was
    not taken. ``reasons`` are those for which an attempt failed. ``answers`` are the times from
    the beginning of each attempt to the end of its answer.

    Of the generator itself: ``cpu_s`` and ``wall_s`` are the seconds that each process worked and
    took in all, ``behind_s`` for how many it got no turn although it was to have one,
    ``late_s`` by how much a session began late at most.
    """

    sessions: int = 0
    requests: int = 0
    items: Counter[Signal] = field(default_factory=Counter)
    bytes: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    retried: int = 0
    rejected_items: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    answers: Distribution = field(default_factory=Distribution)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    behind_s: float = 0.0
    late_s: float = 0.0

    def join(self, other: Counts) -> None:
        """Add everything that ``other`` has counted."""
        self.sessions += other.sessions
        self.requests += other.requests
        self.items += other.items
        self.bytes += other.bytes
        self.accepted += other.accepted
        self.refused += other.refused
        self.unanswered += other.unanswered
        self.retried += other.retried
        self.rejected_items += other.rejected_items
        self.reasons += other.reasons
        self.answers.join(other.answers)
        self.cpu_s += other.cpu_s
        self.wall_s += other.wall_s
        self.behind_s += other.behind_s
        self.late_s = max(self.late_s, other.late_s)

    @property
    def failed(self) -> bool:
        """Whether the collector did not take everything."""
        return bool(self.refused or self.unanswered or self.rejected_items)


def joined(several: list[Counts]) -> Counts:
    """Return the sum of what several processes have counted."""
    total = Counts()
    for each in several:
        total.join(each)
    return total
