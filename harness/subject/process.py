"""Run a process under a deadline, and end its whole process group afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..clock import monotonic_s, time_ns
from ..errors import SubjectError
from ..keeping.cells import Cell, Kept
from . import outputs

#: How long a process may take to end after SIGTERM, before SIGKILL.
GRACE_S = 1.5
_TICK_S = 5.0
#: How often is looked at what a process has printed: a disk takes a gigabyte a second.
_LOOK_S = 0.1
_QUOTED_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of a process that has ended, by itself or (``timed_out``) by the deadline.

    ``exit_code`` is negative for a signal; ``stdout`` and ``stderr`` hold the last
    :data:`~harness.subject.outputs.OUTPUT_TAIL_BYTES` of each; times are Unix nanoseconds.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    started_unix_nano: int
    ended_unix_nano: int
    timed_out: bool
    deadline_s: float

    @property
    def last_output(self) -> str:
        """The end of what the process printed, for an error message."""
        parts = [text.strip() for text in (self.stdout, self.stderr) if text.strip()]
        return "\n".join(parts)[-_QUOTED_CHARACTERS:] or "(it printed nothing)"


class ProcessGroups:
    """A thread-safe registry of process groups, which one thread can kill while others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tracked: set[int] = set()
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`end_all` was called."""
        return self._cancelled

    @contextlib.contextmanager
    def track(self, pid: int) -> Iterator[None]:
        """Register the process group ``pid`` while the block lasts, so that it can be killed."""
        with self._lock:
            self._tracked.add(pid)
            if self._cancelled:
                _signal_group(pid, signal.SIGKILL)
        try:
            yield
        finally:
            with self._lock:
                self._tracked.discard(pid)

    def end_all(self) -> None:
        """Kill every registered group, and every one that is registered later."""
        with self._lock:
            self._cancelled = True
            for pid in self._tracked:
                _signal_group(pid, signal.SIGKILL)


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output_dir: Path,
    deadline_s: float,
    while_waiting: Callable[[float], None] | None = None,
    groups: ProcessGroups | None = None,
    cell: Cell | None = None,
) -> Completed:
    """Run ``argv`` in a session of its own and wait for it.

    Standard input is empty; the outputs go to ``output_dir/stdout`` and ``stderr``, which are
    emptied when they get too large (:mod:`harness.subject.outputs`).
    At ``deadline_s`` the process group gets SIGTERM, :data:`GRACE_S` later SIGKILL.
    However this function ends, by exceptions and Ctrl-C too, the group is killed and the
    process reaped; what it started beside its group ends with ``cell`` (None: now).
    ``while_waiting`` is called about every five seconds with the
    seconds elapsed. ``groups`` lets another thread end the process.

    Raises SubjectError if the process cannot be started.
    """
    out_path, err_path = output_dir / "stdout", output_dir / "stderr"
    started = time_ns()
    with contextlib.ExitStack() as stack:
        within = stack.enter_context(Cell()) if cell is None else cell
        with outputs.opened(out_path, err_path) as (out, err):
            process = start(
                within, argv, cwd=cwd, env=env, stdout=out.fileno(), stderr=err.fileno()
            )
        try:
            with (groups or ProcessGroups()).track(process.pid):
                looked = _Look((out_path, err_path), while_waiting)
                timed_out = not wait(process, deadline_s, looked, _LOOK_S)
                if timed_out:
                    _signal_group(process.pid, signal.SIGTERM)
                    wait(process, GRACE_S, looked, _LOOK_S)
        finally:
            kill_group(process)
    return Completed(
        argv=tuple(argv),
        exit_code=process.returncode,
        stdout=outputs.tail(out_path),
        stderr=outputs.tail(err_path),
        started_unix_nano=started,
        ended_unix_nano=time_ns(),
        timed_out=timed_out,
        deadline_s=deadline_s,
    )


def start(cell: Cell, argv: Sequence[str], **how: Any) -> Kept:
    """Start a process in a cell (:meth:`Cell.start`).  Raises SubjectError if it cannot be."""
    try:
        return cell.start(argv, **how)
    except OSError as error:
        raise SubjectError(f"{argv[0]} cannot be started: {error}") from error


class _Look:
    """Keeps the outputs of a process small, and calls on every so often for whoever waits."""

    def __init__(
        self, paths: tuple[Path, ...], while_waiting: Callable[[float], None] | None
    ) -> None:
        self._paths = paths
        self._while_waiting = while_waiting
        self._next_s = _TICK_S

    def __call__(self, elapsed_s: float) -> None:
        outputs.bound(*self._paths)
        if self._while_waiting is not None and elapsed_s >= self._next_s:
            self._next_s = elapsed_s + _TICK_S
            self._while_waiting(elapsed_s)


def kill_group(process: Kept) -> None:
    """Kill the process group that ``process`` leads, and wait for its end."""
    if process.closed:
        return
    _signal_group(process.pid, signal.SIGKILL)
    process.ended(None)
    process.close()


def wait(
    process: Kept,
    seconds: float,
    while_waiting: Callable[[float], None] | None = None,
    tick_s: float = _TICK_S,
) -> bool:
    """Wait up to ``seconds`` for the process to exit; say whether it has.

    Every ``tick_s``, ``while_waiting`` is called with the seconds elapsed.
    """
    started = monotonic_s()
    while (left := started + seconds - monotonic_s()) > 0:
        if process.ended(min(left, tick_s)):
            return True
        if while_waiting is not None:
            while_waiting(monotonic_s() - started)
    return process.ended()


def _signal_group(group: int, number: signal.Signals) -> None:
    # PermissionError: macOS says so of a group that holds nothing but zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
