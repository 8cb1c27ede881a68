"""Make a matrix by several processes, each of which takes the next release that is free.

A recording is ended by an exception in the main thread of its process, so releases side by side
are processes, not threads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from ...errors import HarnessError

#: How long a process may take to end its sessions.
_GRACE_S = 30.0

#: The exit code of a process that was told to end, or met what would stop any release.
_STOPPED = 2


def make_side_by_side(arguments: Sequence[str], jobs: int) -> None:
    """Run ``cc-harness matrix`` with these arguments ``jobs`` times, and wait for all of them.

    If one of them ends with a fault, or this process is interrupted, all of them are ended; they
    keep what is finished.
    """
    more = ("--jobs=1", f"--worker={jobs}")
    command = [sys.executable, "-m", __name__.partition(".")[0], "matrix", *arguments, *more]
    # Sessions of their own: a Ctrl-C goes to this process alone, which tells the others once.
    workers = [subprocess.Popen(command, start_new_session=True) for _ in range(jobs)]
    try:
        for worker in workers:
            if worker.wait() == _STOPPED:
                raise HarnessError("a process of the matrix stopped: see what it said above")
            if worker.returncode != 0:
                raise HarnessError(f"a process of the matrix ended with code {worker.returncode}")
    finally:
        _end(workers)


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    running = [worker for worker in workers if worker.poll() is None]
    for worker in running:
        worker.terminate()
    for worker in running:
        try:
            worker.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
