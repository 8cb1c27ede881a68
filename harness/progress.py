"""Tell how far a recording has come: what is done, what runs, and about when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Self

from .clock import monotonic_s

#: So often is it told, in seconds, where each time is a line.
PROGRESS_S = 10.0

#: Runs that are named; and the part of all that must be done before an end is foretold.
_NAMED, _ENOUGH = 3, 0.25

#: How wide the bar itself is.
_BAR = 20


class SoFar(str):
    """One line about a recording that goes on; ``bar`` says the same on a line that is rewritten.

    ``left_s`` is about how long it still takes, or None; ``at_least``: it may take any time longer.
    """

    planned: int
    done: int
    running: tuple[str, ...]
    left_s: float | None
    at_least: bool

    __slots__ = ("at_least", "done", "left_s", "planned", "running")

    @classmethod
    def of(
        cls,
        planned: int,
        done: int,
        running: Sequence[str],
        seconds: float,
        waits_s: float = 0.0,
    ) -> Self:
        """Tell of so many ``planned`` runs after so many seconds; ``running`` are named.

        ``waits_s`` is for how long one that is not done has to wait from the start on.
        """
        by_rate = seconds / done * (planned - done) if _ENOUGH * planned <= done < planned else None
        waiting = max(waits_s - seconds, 0.0)
        at_least = by_rate is None and waiting > 0
        left_s = max(by_rate or 0.0, waiting) if at_least or by_rate is not None else None
        foretold = _foretold(left_s, at_least)
        made = cls(
            f"{done} of {planned} runs done after {seconds:.0f} s{foretold}; "
            f"running: {_named(running)}"
        )
        made.planned, made.done, made.running = planned, done, tuple(running)
        made.left_s, made.at_least = left_s, at_least
        return made

    def bar(self, width: int) -> str:
        """Return a bar and what it stands for, no wider than ``width`` columns."""
        full = _BAR * self.done // max(self.planned, 1)
        text = (
            f"[{'#' * full}{'.' * (_BAR - full)}] {self.done}/{self.planned} runs"
            f"{_foretold(self.left_s, self.at_least)}: {_named(self.running)}"
        )
        return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"

    def as_plain(self) -> dict[str, Any]:
        """Return what :meth:`from_plain` makes it of again, in another process."""
        told = {name: getattr(self, name) for name in SoFar.__slots__}
        return {**told, "text": str(self)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return what :meth:`as_plain` was called on."""
        made = cls(plain["text"])
        for name in SoFar.__slots__:
            setattr(made, name, plain[name])
        made.running = tuple(made.running)
        return made


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told how far runs are, how often, and for how long some of them wait, by label."""

    progress: Callable[[SoFar], None]
    every_s: float = PROGRESS_S
    waits: Mapping[str, float] = field(default_factory=dict)

    def until_ended(self, futures: Mapping[Future[Any], str]) -> Iterator[Future[Any]]:
        """Yield each of the futures, which have labels, when it has ended; tell meanwhile."""
        pending = set(futures)
        began = told = monotonic_s()
        while pending:
            due = max(told + self.every_s - monotonic_s(), 0)
            done, pending = wait(pending, timeout=due, return_when=FIRST_COMPLETED)
            yield from done
            now = monotonic_s()
            if pending and now - told >= self.every_s:
                told = now
                running = sorted(futures[future] for future in pending if future.running())
                waits_s = max(self.waits.get(futures[future], 0.0) for future in pending)
                ended = len(futures) - len(pending)
                self.progress(SoFar.of(len(futures), ended, running, now - began, waits_s))


def over(progress: Callable[[str], None]) -> None:
    """Say that nothing more is told for now: who shows a bar takes it away by its ``done``."""
    done = getattr(progress, "done", None)
    if done is not None:
        done()


def every_s(progress: Callable[[str], None]) -> float:
    """Return how often somebody wants to be told; who rewrites a line wants it more often."""
    return float(getattr(progress, "every_s", PROGRESS_S))


def _named(running: Sequence[str]) -> str:
    more = len(running) - _NAMED
    return ", ".join(running[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _foretold(left_s: float | None, at_least: bool) -> str:
    if left_s is None:
        return ""
    return f", {'at least' if at_least else 'about'} {left_s:.0f} s more"
