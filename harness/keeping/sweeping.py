"""Find and remove what an earlier run left whose keeper was killed as well.

Every temporary folder of ours is locked while its process lives, by a lock that the system lets
go when the process ends: a folder whose lock can be had belongs to nobody.

Only the standard library is imported: the keeper starts with this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

#: How the names of all temporary folders begin.
PREFIX = "cc-otel-temp-"

#: A folder that changed within so many seconds is left alone: it may not be locked yet.
YOUNG_S = 300.0

_HOME = b"HOME="


def hold(folder: Path) -> int:
    """Say that a folder is in use, until the returned descriptor is closed."""
    descriptor = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks: nothing is swept there
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def left_over(parent: Path, now_s: float) -> Iterator[Path]:
    """Yield the folders in ``parent`` that are ours and in use by nobody."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.stat(follow_symlinks=False)
            if status.st_uid == os.geteuid() and now_s - status.st_mtime > YOUNG_S:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield folder
                finally:
                    os.close(descriptor)


def sweep(parent: Path) -> None:
    """End the processes of folders that nobody uses any more, and remove these folders."""
    for folder in left_over(parent, time.time()):
        for pid in processes_in(folder):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        remove(folder)


def processes_in(folder: Path) -> Iterator[int]:
    """Yield the processes whose HOME is in ``folder``; none where there is no /proc."""
    within = _HOME + os.fsencode(folder) + b"/"
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError):
                    environment = Path("/proc", name, "environ").read_bytes()
                    if any(each.startswith(within) for each in environment.split(b"\0")):
                        yield int(name)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, also where entries may not be written to."""
    # A folder without write permission keeps its entries from being removed.
    for parent, names, _ in os.walk(folder):
        for each in (Path(parent, name) for name in names):
            if not each.is_symlink():
                with contextlib.suppress(OSError):
                    each.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
