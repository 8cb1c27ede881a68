"""Find and kill processes of a sandbox that outlived the subject, where nobody adopts orphans.

On Linux the keeper does (:mod:`harness.keeping`). Elsewhere subjects start shells in sessions of
their own, which a signal to the process group does not reach. Every process of a sandbox has the
sandbox's own HOME in its environment, whatever its parent or session, and is found by it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from ..clock import monotonic_s

_DEADLINE_S = 5.0


def end_all(home: Path) -> int:
    """Kill processes with ``HOME=home`` until none is left; return how many there were."""
    pids: set[int] = set()
    deadline = monotonic_s() + _DEADLINE_S
    while (processes := list(_processes(home))) and monotonic_s() < deadline:
        pids.update(process.pid for process in processes)
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
    return len(pids)


def _processes(home: Path) -> Iterator[psutil.Process]:
    # None: somebody else's, or it has ended and is not reaped yet.
    for process in psutil.process_iter(["environ"]):
        environment = process.info["environ"] or {}
        if environment.get("HOME") == str(home) and process.pid != os.getpid():
            yield process
