"""Wait for a file lock, then exec a command that holds it.

    python locked_exec.py LOCK SECONDS COMMAND…

The lock is released when the process ends, in whatever way. Only the standard library
is imported: this runs before every subject that needs the lock.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_PAUSE_S = 0.05
#: As ``sysexits.h`` has it: try again later.
_LATER = 75


def in_turn(lock: Path, seconds: float) -> tuple[str, ...]:
    """Return a command prefix: it waits ``seconds`` at most for ``lock``, then runs the rest."""
    return (sys.executable, __file__, str(lock), str(seconds))


def main(argv: Sequence[str]) -> int:
    path, seconds, *command = argv
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    end = time.monotonic() + float(seconds)
    while not _taken(lock):
        if time.monotonic() > end:
            print(f"{path} is held by another process", file=sys.stderr)  # noqa: T201
            return _LATER
        time.sleep(_PAUSE_S)  # flock takes no deadline, and nothing tells of a lock let go
    os.set_inheritable(lock, True)
    os.execvp(command[0], command)
    raise AssertionError("nothing comes after exec")


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
