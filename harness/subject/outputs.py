"""The files that the outputs of a process go to, and their bound on the disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: How much of each output is kept in memory: its end.
OUTPUT_TAIL_BYTES = 256 * 1024

#: An output that has grown to this is emptied: nobody reads more than its end.
MOST_BYTES = 64 * 1024 * 1024


@contextlib.contextmanager
def opened(*paths: Path) -> Iterator[list[BinaryIO]]:
    """Open new files for outputs, so that they can be emptied while a process writes to them."""
    with contextlib.ExitStack() as stack:
        for path in paths:
            path.write_bytes(b"")
        # Appending: a process that goes on writes to the end of the emptied file, and not to
        # where it was before.
        yield [stack.enter_context(path.open("ab")) for path in paths]


def bound(*paths: Path) -> None:
    """Empty those of these outputs that are too large; what is printed goes on to be written."""
    for path in paths:
        with contextlib.suppress(OSError):
            if path.stat().st_size > MOST_BYTES:
                os.truncate(path, 0)


def tail(path: Path) -> str:
    """Return the last :data:`OUTPUT_TAIL_BYTES` of a file, as text."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - OUTPUT_TAIL_BYTES))
        return stream.read(OUTPUT_TAIL_BYTES).decode("utf-8", "replace")
