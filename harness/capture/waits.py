"""Clock how long others wait for something of ours, which says nothing about them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from harness.clock import monotonic_s

#: Who waits longer than this for us, in seconds, may give up: a session that ends gives its last
#: exports two seconds in all, and some releases less.
LATE_S = 1.0


class Waits:
    """The longest that anybody waited for a server of ours; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._longest_s = 0.0
        #: When those waits began that have not ended, by their number.
        self._begun: dict[int, float] = {}
        self._number = 0

    @contextlib.contextmanager
    def clocked(self) -> Iterator[None]:
        """Clock one wait, which lasts as long as the block."""
        with self._lock:
            self._number = number = self._number + 1
            self._begun[number] = monotonic_s()
        try:
            yield
        finally:
            with self._lock:
                passed_s = monotonic_s() - self._begun.pop(number)
                self._longest_s = max(self._longest_s, passed_s)

    @property
    def longest_s(self) -> float:
        """The longest wait so far in seconds, of those that have not ended, too."""
        with self._lock:
            now = monotonic_s()
            return max([self._longest_s, *(now - began for began in self._begun.values())])
