"""Watch that the machine does not run out of room or descriptors while sessions run.

A subject that cannot write, or whose collector cannot accept, fails as it would not elsewhere: the
recording is broken off, and what is said is what the machine wants for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .. import shortage
from ..errors import UsageError
from .watch import Watch

#: Where Linux lists the open files of this process.
_OPEN = Path("/proc/self/fd")


class ShortageWatch(Watch):
    """Notes what the machine wants for while its ``with`` block lasts.

    ``folders`` are those that are written to, besides the one for temporary files.
    """

    def __init__(self, folders: Iterable[Path | None] = ()) -> None:
        super().__init__("shortage")
        self._folders = [Path(tempfile.gettempdir()), *filter(None, folders)]
        self._want: UsageError | None = None

    def check(self) -> None:
        """Raise UsageError if something was wanting at any time since the block began."""
        if self._want is None:
            self.look()
        if self._want is not None:
            raise self._want

    def look(self) -> bool:
        self._want = self._want or self._space() or shortage.descriptors_wanting(_opened())
        return self._want is None

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
