"""Say what a load generator is to send, where to, how fast and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..capture.capture import Capture
from ..errors import UsageError
from ..otlp.model import Protocol
from ..relay.endpoint import Endpoint
from ..relay.replay import Recorded, recorded
from .prepared import PreparedSession


@dataclass(frozen=True, slots=True)
class Source:
    """A recorded session of which copies are sent."""

    label: str
    requests: tuple[Recorded, ...]


def sources(captures: Sequence[Capture], named: str) -> tuple[Source, ...]:
    """Return the sessions among captures. Raises UsageError, with where they are from, for none."""
    every = (Source(each.run.label, recorded(each.exports)) for each in captures)
    found = tuple(source for source in every if source.requests)
    if not found:
        raise UsageError(named, seen="no export request", expected="a recording of sessions")
    return found


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent.

    Copies of ``sources`` go over ``protocols`` in turn, each to the one of ``endpoints`` that
    speaks it. ``rate`` sessions begin in a second (None: as many as get through), until
    ``sessions`` have begun or ``seconds`` have passed (None: no such end). Each of ``connections``
    carries one session at a time; ``processes`` share them. ``run`` tells the copies of one run
    from those of another; ``noting`` has each request noted, so that it can be recognised where it
    comes out.
    """

    endpoints: tuple[Endpoint, ...]
    protocols: tuple[Protocol, ...]
    sources: tuple[Source, ...]
    run: str
    rate: float | None = None
    seconds: float | None = None
    sessions: int | None = None
    connections: int = 16
    processes: int = 1
    noting: bool = False

    def salt(self, number: int) -> str:
        """Return what tells the copy with this number from all others."""
        return f"{self.run} {number}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The sessions of an order, prepared for each of its protocols."""

    sessions: tuple[tuple[PreparedSession, ...], ...]

    @classmethod
    def of(cls, order: Order) -> Prepared:
        """Prepare them. Raises HarnessError for a session that cannot be prepared."""
        return cls(
            tuple(
                tuple(
                    PreparedSession(each.label, each.requests, protocol) for each in order.sources
                )
                for protocol in order.protocols
            )
        )

    def numbered(self, number: int) -> PreparedSession:
        """Return the session of which the copy with this number is made.

        The recordings take turns, and the protocols after each round of them.
        """
        rounds, member = divmod(number, len(self.sessions[0]))
        return self.sessions[rounds % len(self.sessions)][member]
