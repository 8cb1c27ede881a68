"""Write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import UsageError


def write_whole(path: Path, text: str, called: str) -> None:
    """Write ``text`` to ``path``; whoever reads it finds all of it, or what was there before.

    ``called`` is what the error calls the file. Raises UsageError if it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(called, seen=str(error), expected="a file that we can write") from error
