"""Subjects that hang: their deadline passes when they say that they do, and never before.

How long a process takes until it hangs is the machine's business: with a deadline of a second, what
a test asks for, the last words above all, would not be there yet on a busy machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.clock import monotonic_s
from harness.keeping.cells import Kept
from harness.subject import conversing, process

#: Seconds between two looks for the mark of a process.
_LOOK_S = 0.05
#: More than any deadline.
_AGES_S = 1e9


@dataclass(frozen=True, slots=True)
class Hang:
    """What a subject does before it hangs: one line of Python, or of shell."""

    in_python: str
    in_shell: str


class Marks:
    """The marks of processes that hang, in a folder; what waits for a process asks it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._overdue: set[int] = set()
        self._wait = process.wait
        self.hang = Hang(
            in_python=f"import os; open({str(folder)!r} + f'/{{os.getpid()}}', 'w').close()",
            in_shell=f": >'{folder}'/$$",
        )

    def wait(
        self,
        running: Kept,
        seconds: float,
        while_waiting: Callable[[float], None] | None = None,
        tick_s: float = _LOOK_S,
    ) -> bool:
        """Wait as :func:`harness.subject.process.wait` does, but until the process is marked."""
        if running.pid in self._overdue:
            return self._wait(running, seconds, while_waiting, tick_s)
        while not (self._folder / str(running.pid)).exists():
            if self._wait(running, _LOOK_S, while_waiting, tick_s):
                return True
        self._overdue.add(running.pid)
        return False

    def monotonic_s(self) -> float:
        """Tell the time: ages have passed when any process is marked."""
        return monotonic_s() + (_AGES_S if os.listdir(self._folder) else 0.0)


def let_deadlines_pass(folder: Path, put: Callable[[object, str, object], None] = setattr) -> Hang:
    """Put the marks in ``folder`` in the place of the clock of all that waits for a subject."""
    marks = Marks(folder)
    put(process, "wait", marks.wait)
    put(conversing, "monotonic_s", marks.monotonic_s)
    return marks.hang
