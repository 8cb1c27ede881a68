"""Run a process at a pseudo-terminal and emulate its screen.

The bytes go through pexpect, the screen is pyte's. The process is started by the keeper
and not with ``pexpect.spawn``: that one forks this process, which has
threads (servers, gRPC), and a fork beside threads may hang or die.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

import pexpect
import pyte
from pexpect import fdpexpect

from ..clock import monotonic_s, time_ns
from ..errors import NotInTimeError, SubjectError
from ..keeping.cells import Cell
from . import process
from .drawing import Drawing
from .process import Completed, ProcessGroups

#: Wide enough for one-line questions, high enough for a dialog with what precedes it.
COLUMNS, ROWS = 140, 50

#: A key that has had no visible effect for so long is pressed again: some releases
#: ignore keys for a moment after a dialog appears, lest a person answers it by mistake.
PRESS_AGAIN_S = 0.4

#: A screen is whole when nothing was printed for so long: frames come in several pieces.
QUIET_S = 0.1

#: So much is drawn between two looks at the clock: of sequences that erase the whole screen, that
#: takes pyte a tenth of a second.
_CHUNK = 1024
_LOOK_S = 0.25

_Result = TypeVar("_Result")


class Terminal:
    """A pseudo-terminal that runs ``argv`` (absolute path first) while its block lasts.

    ``deadline_s`` counts from the start and applies to everything. Leaving the block kills
    the process group; :meth:`completed` is for a process that ends by itself. What it started
    beside its group ends with ``cell`` (None: with the block).
    Every :class:`SubjectError` includes the screen.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        deadline_s: float,
        groups: ProcessGroups | None = None,
        cell: Cell | None = None,
    ) -> None:
        self._argv = tuple(argv)
        self._cell = cell
        self._cwd = cwd
        self._env = dict(env)
        self._deadline_s = deadline_s
        self._groups = groups or ProcessGroups()
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._drawing = Drawing()
        self._cleanup = contextlib.ExitStack()
        self._at_end = False

    def __enter__(self) -> Self:
        self._started_unix_nano = time_ns()
        self._end_s = monotonic_s() + self._deadline_s
        ours, theirs = pty.openpty()
        self._cleanup.callback(os.close, ours)
        try:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            cell = self._cleanup.enter_context(Cell()) if self._cell is None else self._cell
            self._process = process.start(
                cell,
                self._argv,
                cwd=self._cwd,
                env=self._env,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                terminal=True,
            )
        except BaseException:
            self._cleanup.close()
            raise
        finally:
            os.close(theirs)
        self._cleanup.callback(self._end)
        self._cleanup.enter_context(self._groups.track(self._process.pid))
        self._channel = fdpexpect.fdspawn(ours, timeout=None)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    @property
    def lines(self) -> list[str]:
        """The screen, line by line, without trailing blanks."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The screen as one text, without trailing empty lines."""
        return "\n".join(self.lines).rstrip()

    def until(
        self, condition: Callable[[], _Result | None], what: str, *, whole: bool = True
    ) -> _Result:
        """Read output until ``condition()`` is true of a settled screen, and return its value.

        The screen is settled when nothing was printed for :data:`QUIET_S`; ``whole=False`` does
        not wait for that, for a condition that does not look at the screen.

        Raises SubjectError, with the screen, if the process ends or the deadline
        passes before that; ``what`` names what was waited for.
        """
        while True:
            result = condition()
            if result and (not whole or self._at_end or not self._read(QUIET_S)):
                return result
            if self._at_end and not result:
                raise SubjectError(f"the session ended before {what}", output=self._shown())
            left = self._end_s - monotonic_s()
            if left <= 0:
                raise NotInTimeError(
                    f"{what}: not seen within {self._deadline_s:g} s of the start; the screen "
                    "is not one that is known",
                    output=self._shown(),
                )
            if not result:
                self._read(min(left, _LOOK_S))

    def send(self, keys: str) -> None:
        """Send keys once; see :meth:`press` for keys that may be ignored."""
        with contextlib.suppress(OSError):  # it has just ended: the next wait says so
            self._channel.send(keys)

    def press(
        self,
        keys: str,
        condition: Callable[[], _Result | None],
        what: str,
        *,
        whole: bool = True,
        again: Callable[[], str] | None = None,
    ) -> _Result:
        """Send ``keys``, repeatedly if they have no effect, and wait until ``condition()`` is true.

        If it is not within :data:`PRESS_AGAIN_S` (then within twice as long, and so
        on: a busy machine is slow), ``again()`` returns what to send now: nothing, if the
        keys were accepted and only the effect is slow. Without it, ``keys`` are sent again.
        """
        pause_s = PRESS_AGAIN_S
        self.send(keys)
        while True:
            again_s = monotonic_s() + pause_s

            def effect(again_s: float = again_s) -> tuple[_Result | None] | None:
                result = condition()
                return (result,) if result or monotonic_s() > again_s else None

            (result,) = self.until(effect, what, whole=whole)
            if result:
                return result
            pause_s *= 2
            self.send(keys if again is None else again())

    @property
    def ended(self) -> bool:
        """Whether the process has ended and all its output has been read."""
        return self._at_end

    def completed(self) -> Completed:
        """Wait for the process to end by itself; its last screen is the ``stdout`` of the result.

        A process that reaches the deadline is killed and returned with ``timed_out`` set.
        """
        while not self._at_end and monotonic_s() < self._end_s:
            self._read(min(self._end_s - monotonic_s(), _LOOK_S))
        left = max(self._end_s - monotonic_s(), 0)
        timed_out = not process.wait(self._process, left)
        self._end()
        return Completed(
            argv=self._argv,
            exit_code=self._process.returncode,
            stdout=self.text,
            stderr="",
            started_unix_nano=self._started_unix_nano,
            ended_unix_nano=time_ns(),
            timed_out=timed_out,
            deadline_s=self._deadline_s,
        )

    def _read(self, seconds: float) -> bool:
        """Read and draw what is printed within ``seconds``; return False if nothing was."""
        # Asked before reading: what it says last would be lost otherwise.
        has_ended = self._process.poll() is not None
        try:
            printed = cast(bytes, self._channel.read_nonblocking(_CHUNK, seconds))
            self._stream.feed(self._drawing.drawn(printed))
            return True
        except pexpect.TIMEOUT:
            # What it started may hold the terminal open for longer than it lives.
            self._at_end = has_ended
        except pexpect.EOF:
            self._at_end = True
        return False

    def _end(self) -> None:
        process.kill_group(self._process)

    def _shown(self) -> str:
        return f"--- the screen ---\n{self.text or '(empty)'}\n---"
