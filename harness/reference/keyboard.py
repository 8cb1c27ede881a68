"""Read the keys that a person presses at a terminal, and measure the time spent on it."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import termios
import time
import tty
from collections import deque
from collections.abc import Iterator

END_OF_INPUT = "\x04"
CLEAR_LINE = "\x15"
ESCAPE = "\x1b"
ENTER = ("\r", "\n")
SHIFT_TAB = "\x1b[Z"
RUBOUT = ("\x7f", "\b")

#: Who presses no key for longer than this is taken to be away.
IDLE_S = 5.0

_CHUNK = 4096
_KEY = re.compile(r"\x1b[\[O][0-9;?]*[ -/]*[@-~]|.", re.DOTALL)


class Keyboard:
    """The keys of the terminal ``fd``, one at a time; a closed terminal is the end of input."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: deque[str] = deque()

    @property
    def waiting(self) -> bool:
        """Whether a key has been read but not taken yet."""
        return bool(self._waiting)

    def key(self) -> str:
        while not self._waiting:
            try:
                chunk = os.read(self._fd, _CHUNK)
            except OSError:  # the other side of a pseudo-terminal is gone
                chunk = b""
            if not chunk:
                return END_OF_INPUT
            # Of the keys that send several characters (arrows and others), one means anything here.
            keys = _KEY.findall(self._decoder.decode(chunk))
            self._waiting.extend(key for key in keys if len(key) == 1 or key == SHIFT_TAB)
        return self._waiting.popleft()

    def forget(self) -> None:
        """Drop the keys typed so far, which were meant for what the screen showed before."""
        self._waiting.clear()
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCIFLUSH)


class Activity:
    """The time that a person was active: between key presses, without idle stretches."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self.seconds = 0.0

    def sign_of_life(self) -> None:
        now = time.monotonic()
        if self._last_s is not None:
            self.seconds += min(now - self._last_s, IDLE_S)
        self._last_s = now


@contextlib.contextmanager
def raw(fd: int) -> Iterator[Keyboard]:
    """Switch off echo and line buffering of a terminal while the block lasts; yield its keys."""
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield Keyboard(fd)
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
