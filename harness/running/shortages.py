"""Watch that the machine does not run out of room or descriptors while sessions run.

A subject that cannot write, or whose collector cannot accept, fails as it would not elsewhere: the
recording is broken off, and what is said is what the machine wants for.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from harness import shortage
from harness.errors import UsageError

#: Seconds between two looks.
_PERIOD_S = 0.25

#: Where Linux lists the open files of this process.
_OPEN = Path("/proc/self/fd")


class ShortageWatch:
    """Looks at the machine while its ``with`` block lasts, in a thread of its own.

    ``folders`` are those that are written to, besides the one for temporary files.
    """

    def __init__(self, folders: Iterable[Path | None] = ()) -> None:
        self._folders = [Path(tempfile.gettempdir()), *filter(None, folders)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="shortage", daemon=True)
        self._want: UsageError | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Raise UsageError if something was wanting at any time since the block began."""
        if self._want is None:
            self._look()
        if self._want is not None:
            raise self._want

    def _watch(self) -> None:
        while self._want is None and not self._ended.wait(_PERIOD_S):
            self._look()

    def _look(self) -> None:
        self._want = self._space() or shortage.descriptors_wanting(_opened())

    def _space(self) -> UsageError | None:
        for folder in self._folders:
            if shortage.free_in(folder) < shortage.LEAST_LEFT:
                return shortage.no_room(folder, "hardly any left while sessions ran")
        return None


def _opened() -> int:
    """Count the open files of this process; 0 where nobody lists them."""
    try:
        return len(os.listdir(_OPEN))
    except OSError:
        return 0
