"""Follow what comes one after the other: intervals, windows of metrics, numbers of events."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median
from typing import Generic, TypeVar

from ..otlp.model import DataPoint, Event

T = TypeVar("T")

#: So many sources, streams or sessions are followed at once; the one that was silent for longest
#: is forgotten first.
_MOST = 20_000
#: A pause is a gap if it is so many times as long as the usual one, of so many at least.
_TIMES, _FEWEST, _REMEMBERED = 2.5, 3, 9
_PER_S = 1e9


class _Followed(OrderedDict[object, T], Generic[T]):
    """What was last seen of each of many, of which the oldest are forgotten."""

    def last(self, key: object, new: T) -> T | None:
        """Put the new one in the place of the last one, and return that."""
        before = self.pop(key, None)
        self[key] = new
        if len(self) > _MOST:
            self.popitem(last=False)
        return before


class Intervals:
    """How long after one another the requests of a source come."""

    def __init__(self) -> None:
        self._last: _Followed[int] = _Followed()
        self._pauses: _Followed[deque[float]] = _Followed()

    def after(
        self, signal: str, sources: tuple[str, ...], now_unix_nano: int
    ) -> tuple[float | None, list[str]]:
        """Return the pause before a request, and what is odd about it.

        Only metrics are sent at an interval; everything else comes when there is something.
        """
        key = (signal, sources)
        before = self._last.last(key, now_unix_nano)
        if before is None:
            return None, []
        pause = max(0.0, (now_unix_nano - before) / _PER_S)
        pauses = self._pauses.setdefault(key, deque(maxlen=_REMEMBERED))
        self._pauses.last(key, pauses)
        usual = median(pauses) if len(pauses) >= _FEWEST else None
        pauses.append(pause)
        if signal != "metrics" or usual is None or pause <= _TIMES * usual:
            return pause, []
        return pause, [f"a gap: nothing for {pause:.1f} s, and every {usual:.1f} s before"]


class Windows:
    """The windows of each stream of a metric."""

    def __init__(self) -> None:
        self._last: _Followed[DataPoint] = _Followed()

    def odd(self, points: Iterable[DataPoint]) -> Iterator[str]:
        """Say of which metrics windows overlap, or sums fall."""
        found: Counter[str] = Counter()
        for point in points:
            metric = point.metric
            key = (
                *(point.resource.attributes.key, point.scope.name, metric.name),
                *(metric.temporality, point.attributes.key),
            )
            before = self._last.last(key, point)
            if before is not None and (said := _odd(before, point)):
                found[f"{metric.name}: {said}"] += 1
        for said, times in found.items():
            yield said if times == 1 else f"{said} ({times} streams)"


def _odd(before: DataPoint, point: DataPoint) -> str:
    """Say what is odd about two points of a stream that came one after the other."""
    start, end = point.start_time_unix_nano, before.time_unix_nano
    if point.metric.temporality == "delta":
        return "delta windows overlap" if start and start < end else ""
    if point.metric.temporality != "cumulative":
        return ""
    if start > before.start_time_unix_nano:
        return "counts anew from a later start"
    fell = (
        point.metric.monotonic
        and point.value is not None
        and before.value is not None
        and point.value < before.value
    )
    return "a cumulative sum fell without a new start" if fell else ""


class Sequences:
    """The numbers of each session's events."""

    def __init__(self) -> None:
        self._last: _Followed[int] = _Followed()

    def odd(self, events: Iterable[Event]) -> Iterator[str]:
        """Say which numbers were left out or came before others."""
        numbers: dict[str, list[int]] = {}
        for event in events:
            session = event.attributes.get("session.id")
            number = event.attributes.get("event.sequence")
            if isinstance(session, str) and isinstance(number, int):
                numbers.setdefault(session, []).append(number)
        for session, came in numbers.items():
            # Of one request, the order does not count: its events may be sorted by their times.
            came.sort()
            last = self._last.get(session)
            self._last.last(session, max(came[-1], -1 if last is None else last))
            steps = came if last is None else [last, *(each for each in came if each > last)]
            name = f"session {session[:8]}: event.sequence"
            for one, next_one in pairwise(steps):
                if next_one > one + 1:
                    yield f"{name} goes from {one} to {next_one}"
            if last is not None and came[0] <= last:
                yield f"{name} {came[0]} came after {last}"
                if came[-1] < last:
                    # It was resumed, and counts anew.
                    self._last.last(session, came[-1])
