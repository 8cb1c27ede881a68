"""Keep the export requests of a collector, and let threads wait for more of them.

Appending is on the request path: it takes one lock, and notifies only if a thread
waits. A waiting thread sleeps on a condition variable: it first looks at what has
already arrived, then wakes on each arrival, and never polls. Predicates are called
outside the lock, so that a slow one does not delay requests.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..capture.describe import describe_all, has, item_names, misses, nearest, with_attributes
from ..capture.export import Export, number
from ..capture.names import event_names, short
from ..capture.waits import Waits
from ..clock import monotonic_s
from ..errors import DeadlineExceeded, HarnessError
from ..otlp.model import DataPoint, Event, Span, Value
from .hints import hints

T = TypeVar("T")
Item = TypeVar("Item", DataPoint, Event, Span)

#: Of an item that may have any attributes.
NOTHING: Mapping[str, Value] = {}

DEFAULT_LIMIT = 256 * 1024 * 1024

#: What an export weighs beside its body and headers, in bytes: the object and its place in the
#: queue; and what a header weighs beside its text.
OVERHEAD, PER_HEADER = 1024, 160


def weight(export: Export) -> int:
    """Return about how many bytes an export takes: its body, its headers, and what is around."""
    weighed = len(export.body) + OVERHEAD
    for name, value in export.headers:
        weighed += len(name) + len(value) + PER_HEADER
    return weighed


class StoreClosedError(HarnessError):
    """The store was closed before or during a wait."""


def ends_a_wait(excinfo: Any) -> bool:
    """Say whether an exception, as pytest holds it, tells that a wait was in vain.

    Then nothing is wrong with whoever waited for people, and pytest is not to show its frames.
    """
    return bool(excinfo.errisinstance((DeadlineExceeded, StoreClosedError)))


__tracebackhide__ = ends_a_wait


class Budget:
    """So many bytes for several stores together, as :func:`weight` counts them; thread-safe."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT) -> None:
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many bytes are taken now."""
        return self._taken

    @property
    def is_over(self) -> bool:
        """Say whether more is taken than there is."""
        return self._taken > self.limit_bytes

    def take(self, number: int) -> None:
        """Take bytes, whether there are any left or not; a negative number gives them back."""
        with self._lock:
            self._taken += number


class Store:
    """A thread-safe list of export requests, in order of arrival, with a memory limit.

    ``limit_bytes`` bounds the :func:`weight` of all exports; the decoded
    form of exports that were looked at is not counted. Over the limit the oldest exports are
    dropped, and counted in :attr:`forgotten`.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT) -> None:
        if limit_bytes < 1:
            raise ValueError(f"limit_bytes must be positive, not {limit_bytes}")
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._exports: deque[Export] = deque()
        #: What each of them weighs.
        self._weights: deque[int] = deque()
        self._bytes = 0
        self._arrived = 0
        self._forgotten = 0
        self._waiting = 0
        self._closed = False
        #: How long clients waited for answers that nobody held back on purpose.
        self.waits = Waits()
        self._budget: Budget | None = None

    def draw_on(self, budget: Budget) -> None:
        """Share a budget with other stores, of which this one may take a quarter.

        To be called before the first export arrives.
        """
        self.limit_bytes = min(self.limit_bytes, budget.limit_bytes // 4)
        self._budget = budget

    def give_back(self) -> None:
        """Give the budget back what was taken of it, when nobody keeps the exports any longer."""
        with self._lock:
            if self._budget is not None:
                self._budget.take(-self._bytes)
                self._budget = None

    def append(self, export: Export) -> None:
        """Add an export under the next number (from 1), and wake all waiting threads.

        A closed store still keeps it: the request was answered, so it must not be lost.
        """
        with self._lock:
            self._arrived += 1
            number(export, self._arrived)
            self._exports.append(export)
            weighs = weight(export)
            self._weights.append(weighs)
            self._weigh(weighs)
            if self._is_over():
                self._forget()
            if self._waiting:
                self._changed.notify_all()

    def give_up(self, export: Export, unix_nano: int) -> None:
        """Record when the client of a stored export stopped waiting for its response.

        The stored export is replaced; no thread is woken. An export that was dropped over the
        memory limit is left out.
        """
        with self._lock:
            # Numbers have no gaps, and the oldest are forgotten first.
            index = export.sequence - self._forgotten - 1
            if index >= 0:
                self._exports[index] = replace(self._exports[index], given_up_unix_nano=unix_nano)

    def _forget(self) -> None:
        while self._exports and self._is_over():
            self._exports.popleft()
            self._weigh(-self._weights.popleft())
            self._forgotten += 1

    def _weigh(self, number: int) -> None:
        self._bytes += number
        if self._budget is not None:
            self._budget.take(number)

    def _is_over(self) -> bool:
        return self._bytes > self.limit_bytes or (self._budget is not None and self._budget.is_over)

    @property
    def exports(self) -> tuple[Export, ...]:
        """The exports held now, oldest first."""
        with self._lock:
            return tuple(self._exports)

    @property
    def forgotten(self) -> int:
        """The number of exports dropped so far because of the memory limit."""
        with self._lock:
            return self._forgotten

    def snapshot(self) -> tuple[tuple[Export, ...], int]:
        """Return the exports held and the number of dropped ones, both as of the same moment."""
        with self._lock:
            return tuple(self._exports), self._forgotten

    def close(self) -> None:
        """End every wait, now and later, with :class:`StoreClosedError`; may be called again."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate`` returns something true for the exports held, and return that.

        It is called at once and then when requests arrive, in the caller's thread; an exception
        of it is passed on. After ``deadline_s`` seconds without success, raises
        :class:`DeadlineExceeded`, which says ``what`` was waited for and lists what arrived.
        """
        return self._wait(lambda _: predicate(self.exports), deadline_s, what)

    def wait_for_item(
        self, find: Callable[[Export], T | None], deadline_s: float, what: str = "an export"
    ) -> T:
        """Wait until ``find`` returns something true for an export; it is called once for each."""

        def first(new: Sequence[Export]) -> T | None:
            return next(filter(None, map(find, new)), None)

        return self._wait(first, deadline_s, what)

    def wait_for_exports(self, n: int, deadline_s: float) -> tuple[Export, ...]:
        """Wait until at least ``n`` accepted exports are held, and return all of them.

        One that was answered before it was looked at as a whole, or taken though it is damaged,
        counts if it can be decoded.
        """

        def enough(exports: tuple[Export, ...]) -> tuple[Export, ...]:
            accepted = [export for export in exports if not export.rejected]
            if len(accepted) < n:  # looked at as a whole only when there may be enough
                return ()
            whole = tuple(export for export in accepted if export.counts)
            return whole if len(whole) >= n else ()

        return self.wait_for(enough, deadline_s, f"{n} accepted exports")

    def wait_for_more(self, seen: int, deadline_s: float) -> bool:
        """Wait until more than ``seen`` exports have arrived; return whether they did in time.

        After the store was closed, that is whether they had before.
        """
        self._sleep(seen, monotonic_s() + deadline_s)
        with self._lock:
            return self._arrived > seen

    def wait_for_metric(
        self, name: str, deadline_s: float, wanted: Mapping[str, Value] = NOTHING
    ) -> DataPoint:
        """Wait for an accepted data point of the metric ``name``, and return the first."""

        def named(export: Export) -> Iterator[DataPoint]:
            return (point for point in export.data_points if point.metric.name == name)

        what = f"a data point of metric {name!r}"
        return self._item(named, deadline_s, what, name, wanted)

    def wait_for_event(
        self, name: str, deadline_s: float, wanted: Mapping[str, Value] = NOTHING
    ) -> Event:
        """Wait for an accepted event ``name``, and return the first.

        The name may have the prefix or not (see :mod:`harness.capture.names`).
        """

        def named(export: Export) -> Iterator[Event]:
            return (event for event in export.events if short(name) in event_names(event))

        return self._item(named, deadline_s, f"an event {name!r}", name, wanted)

    def wait_for_span(
        self, name: str, deadline_s: float, wanted: Mapping[str, Value] = NOTHING
    ) -> Span:
        """Wait for an accepted span ``name``, and return the first."""

        def named(export: Export) -> Iterator[Span]:
            return (span for span in export.spans if span.name == name)

        return self._item(named, deadline_s, f"a span {name!r}", name, wanted)

    def _item(
        self,
        named: Callable[[Export], Iterator[Item]],
        deadline_s: float,
        what: str,
        name: str,
        wanted: Mapping[str, Value],
    ) -> Item:
        """Wait for the first item of a name that has the ``wanted`` attributes.

        Where it does not come, what came nearest is told.
        """

        def find(export: Export) -> Item | None:
            items = () if export.rejected else named(export)
            return next((item for item in items if has(item.attributes, wanted)), None)

        try:
            return self.wait_for_item(find, deadline_s, with_attributes(what, wanted))
        except DeadlineExceeded as error:
            accepted = [export for export in self.exports if not export.rejected]
            near = misses(
                (each.attributes for export in accepted for each in named(export)), wanted
            )
            if near and wanted:
                lines = "".join(f"\n  {line}" for line in near)
                raise DeadlineExceeded(f"{error}\nnearest of that name:{lines}") from None
            names = {item_name for export in self.exports for item_name in item_names(export)}
            if close := nearest(name, names):
                raise DeadlineExceeded(f"{error}\nnearest names: {', '.join(close)}") from None
            raise

    def _wait(
        self, attempt: Callable[[Sequence[Export]], T | None], deadline_s: float, what: str
    ) -> T:
        """Call ``attempt`` with the exports that arrived since its last call, until it is true."""
        end = monotonic_s() + deadline_s
        seen_count = 0
        while True:
            last = monotonic_s() >= end
            with self._lock:
                # From the new end: a long queue must not be walked for one arrival.
                fresh = itertools.islice(reversed(self._exports), self._arrived - seen_count)
                new = list(fresh)[::-1]
                seen_count = self._arrived
                closed = self._closed
            if result := attempt(new):
                return result
            if closed:
                raise StoreClosedError(f"{what}: the collector was closed; {self._summary()}")
            if last:
                raise DeadlineExceeded(
                    f"{what}: not seen within {deadline_s:g} s; {self._summary()}{self._hints()}"
                )
            self._sleep(seen_count, end)

    def _sleep(self, seen_count: int, end: float) -> None:
        """Sleep until more than ``seen_count`` exports arrived, the store closes, or ``end``."""
        with self._lock:
            self._waiting += 1
            try:
                self._changed.wait_for(
                    lambda: self._arrived != seen_count or self._closed, end - monotonic_s()
                )
            finally:
                self._waiting -= 1

    def _hints(self) -> str:
        return "".join(f"\nhint: {each}" for each in hints(nothing_seen=not self._arrived))

    def _summary(self) -> str:
        return "seen so far:\n" + describe_all(*self.snapshot())
