"""Start other processes, and wait for what they do: files they write, and their end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

#: The longest that a test waits for another process, in seconds: no machine is that slow.
DEADLINE_S = 60

_POLL_S = 0.01


def outside_of_workers() -> dict[str, str]:
    """Return the environment for a nested session, which is no worker of the outer one.

    It keeps the outer one's options: they keep out plugins that a nested session is not about.
    """
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST_")}


def leave_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a nested session in this process not take itself for a worker of the outer one."""
    for name in os.environ.keys() - outside_of_workers().keys():
        monkeypatch.delenv(name)


def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Look again until the condition holds."""
    assert ask(condition, bool, deadline_s), f"still waiting for {what}"


def ask(question: Callable[[], T], wanted: Callable[[T], bool], deadline_s: float) -> T:
    """Ask until the answer is as wanted; return it, or the last one at the deadline."""
    end = time.monotonic() + deadline_s
    while not wanted(answer := question()) and time.monotonic() < end:
        time.sleep(_POLL_S)  # another process gives no sign to wait for
    return answer


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
