"""Clock how long others wait for something of ours, which says nothing about them."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

from ..clock import monotonic_s

#: Who waits longer than this for us, in seconds, may give up: a session that ends gives its last
#: exports two seconds in all, and some releases less.
LATE_S = 1.0


class Waits:
    """The longest that anybody waited for a server of ours; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._longest_s = 0.0
        #: When those waits began that have not ended, by their number. Each operation on it is one
        #: of the interpreter's own, so that the request path takes no lock for it.
        self._begun: dict[int, float] = {}
        self._numbers = itertools.count()

    @contextlib.contextmanager
    def clocked(self) -> Iterator[None]:
        """Clock one wait, which lasts as long as the block."""
        number = self.begin()
        try:
            yield
        finally:
            self.end(number)

    def begin(self) -> int:
        """Begin to clock a wait; return its number, for :meth:`end`."""
        number = next(self._numbers)
        self._begun[number] = monotonic_s()
        return number

    def end(self, number: int) -> None:
        """Note that a wait has ended."""
        self.took(monotonic_s() - self._begun[number])
        # Only now: until it counts as ended, it counts as going on.
        del self._begun[number]

    def took(self, passed_s: float) -> None:
        """Note a wait that is over, of so many seconds."""
        if passed_s > self._longest_s:
            with self._lock:
                self._longest_s = max(self._longest_s, passed_s)

    @property
    def longest_s(self) -> float:
        """The longest wait so far in seconds, of those that have not ended, too."""
        begun = list(self._begun.values())
        now = monotonic_s()
        return max([self._longest_s, *(now - began for began in begun)])
