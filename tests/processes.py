"""Start other processes, and wait for what they do: files they write, and their end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

#: The longest that a test waits for another process, in seconds: no machine is that slow.
DEADLINE_S = 60


def outside_of_workers() -> dict[str, str]:
    """Return the environment for a nested session, which is no worker of the outer one.

    It keeps the outer one's options: they keep out plugins that a nested session is not about.
    """
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST_")}


def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Look again until the condition holds: another process gives no sign to wait for."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.01)


def assert_gone(pid: int) -> None:
    """Assert that a process that was just killed ends, at the latest in :data:`DEADLINE_S`."""
    until(lambda: not is_running(pid), f"the end of process {pid}")


def is_running(pid: int) -> bool:
    """Say whether the process is there and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        # A zombie has ended; who reaps an orphan is the machine's business.
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self/stat").exists()
