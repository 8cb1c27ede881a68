"""Find and end processes that outlived the one we started.

Subjects start shells in sessions of their own, which a signal to the process group
does not reach.  Every process of a sandbox carries the sandbox's own HOME in its
environment, whatever its parent or session: that is how they are found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")
_DEADLINE_S = 5.0


def with_home(home: Path) -> list[int]:
    """Process ids, other than ours, that were started with ``HOME=home``."""
    found = _from_proc(home) if (_PROC / "self" / "environ").exists() else _from_ps(home)
    return [pid for pid in found if pid != os.getpid()]


def end_all(home: Path) -> int:
    """Kill every process with ``HOME=home`` until none is left; returns how many were seen."""
    seen: set[int] = set()
    deadline = time.monotonic() + _DEADLINE_S
    while (pids := with_home(home)) and time.monotonic() < deadline:
        seen.update(pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    return len(seen)


def _from_proc(home: Path) -> list[int]:
    wanted = b"HOME=" + os.fsencode(home)
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if wanted in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


def _from_ps(home: Path) -> list[int]:
    """For systems without /proc: BSD-style ``ps`` shows the environment after the command."""
    listing = subprocess.run(
        ["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    ).stdout
    wanted = f" HOME={home} "
    return [int(line.split(None, 1)[0]) for line in listing.splitlines() if wanted in f"{line} "]
