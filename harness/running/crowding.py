"""Watch how crowded the machine is: how many processes per core want to run at once.

On a crowded machine a subject answers late and gives up early, as it would not elsewhere, so that
what it fails there says nothing about it.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..clock import time_ns
from .watch import Watch

_LOADAVG = Path("/proc/loadavg")


class CrowdingWatch(Watch):
    """Notes how crowded the machine is while its ``with`` block lasts."""

    def __init__(self) -> None:
        super().__init__("crowding")
        self._cores = os.cpu_count() or 1
        #: Moments in Unix nanoseconds, and how crowded it was then.
        self._seen: list[tuple[int, float]] = []

    def between(self, start_unix_nano: int, end_unix_nano: int) -> float:
        """Return how crowded the machine was on average; 0 if nobody looked in that time."""
        seen = [
            crowding
            for moment, crowding in tuple(self._seen)
            if start_unix_nano <= moment <= end_unix_nano
        ]
        return round(sum(seen) / len(seen), 2) if seen else 0.0

    def look(self) -> bool:
        self._seen.append((time_ns(), runnable() / self._cores))
        return True


def runnable() -> float:
    """Return how many processes run or wait for a core; elsewhere than on Linux, of late."""
    try:
        return float(_LOADAVG.read_text(encoding="ascii").split()[3].partition("/")[0])
    except FileNotFoundError:
        return os.getloadavg()[0]
