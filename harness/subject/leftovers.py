"""Find and end processes that outlived the one we started.

Subjects start shells in sessions of their own, which a signal to the process group
does not reach.  Every process of a sandbox carries the sandbox's own HOME in its
environment, whatever its parent or session: that is how they are found.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_DEADLINE_S = 5.0


def end_all(home: Path) -> int:
    """Kill every process with ``HOME=home`` until none is left; returns how many were seen."""
    seen: set[int] = set()
    deadline = time.monotonic() + _DEADLINE_S
    while (found := list(_processes(home))) and time.monotonic() < deadline:
        seen.update(process.pid for process in found)
        for process in found:
            with suppress(psutil.Error):
                process.kill()
    return len(seen)


def _processes(home: Path) -> Iterator[psutil.Process]:
    # None: somebody else's, or it has ended and is not reaped yet.
    for process in psutil.process_iter(["environ"]):
        environment = process.info["environ"] or {}
        if environment.get("HOME") == str(home) and process.pid != os.getpid():
            yield process
