"""Where a collector puts what arrives, and where others wait for it.

The request path appends; it pays for one lock, and wakes nobody unless
somebody waits.  Waiters sleep on a condition: they see what had already
arrived, wake on each arrival, and never poll.  Conditions are tried outside the
lock, so that a slow one never holds up the request path.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from harness.capture.describe import describe_all, item_names, nearest
from harness.capture.export import Export, number
from harness.capture.names import event_names, short
from harness.errors import DeadlineExceeded, HarnessError
from harness.otlp.model import DataPoint, Event

T = TypeVar("T")

DEFAULT_LIMIT = 256 * 1024 * 1024

#: What an export weighs beside its body, in bytes: the object, its header pairs and
#: its place in the queue, for the eight headers or so that exporters send.
OVERHEAD = 2048


class StoreClosedError(HarnessError):
    """The store was closed while somebody waited, or before."""


class Store:
    """Exports in the order of their arrival, safe for many threads.

    ``limit_bytes`` bounds the raw bodies plus :data:`OVERHEAD` for each export;
    what an export decodes to comes on top, for those that somebody looked at.
    Over the limit the oldest exports are forgotten, and counted in
    :attr:`forgotten`.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT) -> None:
        if limit_bytes < 1:
            raise ValueError(f"limit_bytes must be positive, not {limit_bytes}")
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._exports: deque[Export] = deque()
        self._bytes = 0
        self._arrived = 0
        self._forgotten = 0
        self._waiting = 0
        self._closed = False

    def append(self, export: Export) -> None:
        """Keep an export under the next number (from 1, in order of arrival); wake all that wait.

        A closed store still keeps it: the request was answered, so it must not be lost.
        """
        with self._lock:
            self._arrived += 1
            number(export, self._arrived)
            self._exports.append(export)
            self._bytes += len(export.body) + OVERHEAD
            if self._bytes > self.limit_bytes:
                self._forget()
            if self._waiting:
                self._changed.notify_all()

    def give_up(self, export: Export, unix_nano: int) -> None:
        """Note when the client of a stored export stopped waiting for its answer.

        The export is replaced by one that says so; nobody is woken.  One that was
        forgotten meanwhile stays so.
        """
        with self._lock:
            # Numbers have no gaps, and the oldest are forgotten first.
            index = export.sequence - self._forgotten - 1
            if index >= 0:
                self._exports[index] = replace(self._exports[index], given_up_unix_nano=unix_nano)

    def _forget(self) -> None:
        while self._exports and self._bytes > self.limit_bytes:
            self._bytes -= len(self._exports.popleft().body) + OVERHEAD
            self._forgotten += 1

    @property
    def exports(self) -> tuple[Export, ...]:
        """What is held now, oldest first."""
        with self._lock:
            return tuple(self._exports)

    @property
    def forgotten(self) -> int:
        """How many exports the memory limit has cost so far."""
        with self._lock:
            return self._forgotten

    def snapshot(self) -> tuple[tuple[Export, ...], int]:
        """Return the exports and the count of forgotten ones, of one moment."""
        with self._lock:
            return tuple(self._exports), self._forgotten

    def close(self) -> None:
        """End every wait, now and later, with :class:`StoreClosedError`; may be repeated."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def wait_for(
        self,
        predicate: Callable[[tuple[Export, ...]], T | None],
        deadline_s: float,
        what: str = "a condition on the exports",
    ) -> T:
        """Wait until ``predicate``, given all exports held, is true; its value comes back.

        It is tried at once and then on arrivals, in the caller's thread; what it
        raises is raised here.  After ``deadline_s`` seconds without success,
        :class:`DeadlineExceeded` says what was waited for and lists what was seen.
        """
        return self._wait(lambda _: predicate(self.exports), deadline_s, what)

    def wait_for_item(
        self, find: Callable[[Export], T | None], deadline_s: float, what: str = "an export"
    ) -> T:
        """Wait until ``find`` is true for one export; each export is tried once only."""

        def first(new: Sequence[Export]) -> T | None:
            return next(filter(None, map(find, new)), None)

        return self._wait(first, deadline_s, what)

    def wait_for_exports(self, n: int, deadline_s: float) -> tuple[Export, ...]:
        """Wait until at least ``n`` accepted exports are held; they come back."""

        def enough(exports: tuple[Export, ...]) -> tuple[Export, ...]:
            accepted = tuple(export for export in exports if not export.rejected)
            return accepted if len(accepted) >= n else ()

        return self.wait_for(enough, deadline_s, f"{n} accepted exports")

    def wait_for_metric(self, name: str, deadline_s: float) -> DataPoint:
        """Wait for an accepted data point of the metric ``name``; the first comes back."""

        def find(export: Export) -> DataPoint | None:
            points = () if export.rejected else export.data_points
            return next((point for point in points if point.metric.name == name), None)

        return self._named(find, deadline_s, f"a data point of metric {name!r}", name)

    def wait_for_event(self, name: str, deadline_s: float) -> Event:
        """Wait for an accepted event ``name`` (see :mod:`harness.capture.names`)."""
        wanted = short(name)

        def find(export: Export) -> Event | None:
            found = () if export.rejected else export.events
            return next((event for event in found if wanted in event_names(event)), None)

        return self._named(find, deadline_s, f"an event {name!r}", name)

    def _named(
        self, find: Callable[[Export], T | None], deadline_s: float, what: str, name: str
    ) -> T:
        try:
            return self.wait_for_item(find, deadline_s, what)
        except DeadlineExceeded as error:
            seen = {each for export in self.exports for each in item_names(export)}
            if close := nearest(name, seen):
                raise DeadlineExceeded(f"{error}\nnearest names: {', '.join(close)}") from None
            raise

    def _wait(
        self, attempt: Callable[[Sequence[Export]], T | None], deadline_s: float, what: str
    ) -> T:
        """Call ``attempt`` with what arrived since the last call, until it is true."""
        end = time.monotonic() + deadline_s
        seen = 0
        while True:
            last = time.monotonic() >= end
            with self._lock:
                # From the new end: a long queue must not be walked for one arrival.
                fresh = itertools.islice(reversed(self._exports), self._arrived - seen)
                new = list(fresh)[::-1]
                seen = self._arrived
                closed = self._closed
            if result := attempt(new):
                return result
            if closed:
                raise StoreClosedError(f"{what}: the collector was closed; {self._seen()}")
            if last:
                raise DeadlineExceeded(f"{what}: not seen within {deadline_s:g} s; {self._seen()}")
            self._sleep(seen, end)

    def _sleep(self, seen: int, end: float) -> None:
        """Until more than ``seen`` have arrived, the store is closed, or ``end`` is there."""
        with self._lock:
            self._waiting += 1
            try:
                self._changed.wait_for(
                    lambda: self._arrived != seen or self._closed, end - time.monotonic()
                )
            finally:
                self._waiting -= 1

    def _seen(self) -> str:
        return "seen so far:\n" + describe_all(*self.snapshot())
