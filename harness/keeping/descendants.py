"""Find everything that a process has started, and end it.

Only the standard library is imported: this is part of the keeper.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_LOOK_S = 0.05


def end_descendants(seconds: float) -> bool:
    """Kill every descendant of this process until none is left; say whether none is."""
    end = time.monotonic() + seconds
    while True:
        for pid in all_processes().descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if _none_left():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_S / 10)  # several may be on their way here from parents that just ended


def await_children(seconds: float) -> None:
    """Wait until all children have ended, for so long at most."""
    end = time.monotonic() + seconds
    while not _none_left() and time.monotonic() < end:
        time.sleep(_LOOK_S)  # waitpid takes no deadline


def _none_left() -> bool:
    """Bury children that have ended; say whether there are no others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


class Tree:
    """Who is whose child, at one moment."""

    def __init__(self, parents: dict[int, int]) -> None:
        self._children: dict[int, list[int]] = {}
        for pid, parent in parents.items():
            self._children.setdefault(parent, []).append(pid)

    def children(self, pid: int) -> list[int]:
        return self._children.get(pid, [])

    def descendants(self, pid: int) -> list[int]:
        found = list(self.children(pid))
        for each in found:
            found += self.children(each)
        return found


def all_processes() -> Tree:
    """Return who is whose child now."""
    return Tree(_parents_by_proc() if sys.platform == "linux" else _parents_by_ps())


def _parents_by_proc() -> dict[int, int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                status = Path("/proc", name, "stat").read_bytes()
                # After the program's name, which may hold anything: state, parent.
                parents[int(name)] = int(status.rpartition(b")")[2].split()[1])
    return parents


def _parents_by_ps() -> dict[int, int]:
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid="], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    lines = (line.split() for line in listed.stdout.splitlines())
    return {int(pid): int(parent) for pid, parent in lines}
