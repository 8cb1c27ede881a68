"""Tell on standard error how far a command is: lines, and a bar where that is a terminal."""

from __future__ import annotations

import os
import shutil
import sys

from ..errors import printable
from ..progress import PROGRESS_S, SoFar

_PREFIX = "cc-harness: "

#: Erases the line in which the cursor stands.
_ERASE = "\r\x1b[K"


class Teller:
    """What progress is told to; a line of the past stays, a bar is rewritten and goes."""

    def __init__(self) -> None:
        self._bar = False

    @property
    def every_s(self) -> float:
        """How often it wants to be told how far a recording is."""
        return 0.5 if _is_terminal() else PROGRESS_S

    def __call__(self, text: str) -> None:
        if isinstance(text, SoFar) and _is_terminal():
            self._bar = True
            # The last column stays free: some terminals begin a new line there.
            width = shutil.get_terminal_size().columns - len(_PREFIX) - 1
            sys.stderr.write(f"{_ERASE}{_PREFIX}{printable(text.bar(width))}")
        else:
            self.done()
            sys.stderr.write(f"{_PREFIX}{text}\n")
        sys.stderr.flush()

    def done(self) -> None:
        """Take the bar away, if there is one."""
        if self._bar:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
        self._bar = False


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


#: One for all commands of this process.
tell = Teller()
