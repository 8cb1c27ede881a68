"""Watch how crowded the machine is: how many processes per core want to run at once.

On a crowded machine a subject answers late and gives up early, as it would not elsewhere, so that
what it fails there says nothing about it.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

#: Seconds between two looks: short beside any run, and no load of its own.
_PERIOD_S = 0.25

_LOADAVG = Path("/proc/loadavg")


class CrowdingWatch:
    """Looks at the machine while its ``with`` block lasts, in a thread of its own."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="crowding", daemon=True)
        #: Moments in Unix nanoseconds, and how crowded it was then.
        self._seen: list[tuple[int, float]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def between(self, start_unix_nano: int, end_unix_nano: int) -> float:
        """Return how crowded the machine was on average; 0 if nobody looked in that time."""
        seen = [
            crowding
            for moment, crowding in tuple(self._seen)
            if start_unix_nano <= moment <= end_unix_nano
        ]
        return round(sum(seen) / len(seen), 2) if seen else 0.0

    def _watch(self) -> None:
        cores = os.cpu_count() or 1
        while not self._ended.wait(_PERIOD_S):
            self._seen.append((time.time_ns(), runnable() / cores))


def runnable() -> float:
    """Return how many processes run or wait for a core; elsewhere than on Linux, of late."""
    try:
        return float(_LOADAVG.read_text(encoding="ascii").split()[3].partition("/")[0])
    except FileNotFoundError:
        return os.getloadavg()[0]
