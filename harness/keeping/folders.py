"""Temporary folders that are removed also if this process cannot do it any more."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from . import keeper, sweeping
from .cells import remember

#: The folders of this process, each with the descriptor whose lock says that it is in use.
_HELD: dict[Path, int] = {}


def make(name: str = "", *, brief: bool = False) -> Path:
    """Make a folder for our eyes only in TMPDIR, and return its real path.

    :func:`remove` removes it. If this process ends before, in whatever way, the keeper does, and
    if that was killed, too, the next keeper. ``brief``: it is there for a moment, for which no
    keeper is started. Raises OSError if it cannot be made.
    """
    prefix = f"{sweeping.PREFIX}{name}-" if name else sweeping.PREFIX
    # Resolved, for tools report real paths and /tmp or /var may be a link.
    return _held(Path(tempfile.mkdtemp(prefix=prefix)).resolve(), brief)


def place(name: str) -> Path:
    """Return where a folder may be made later (:func:`make_at`)."""
    return Path(tempfile.gettempdir(), f"{sweeping.PREFIX}{name}-{uuid.uuid4().hex}")


def make_at(folder: Path) -> None:
    """Make a folder as :func:`make` does, at a :func:`place`."""
    folder.mkdir(mode=0o700)
    _held(folder)


def _held(folder: Path, brief: bool = False) -> Path:
    _HELD[folder] = sweeping.hold(folder)
    if not brief:
        remember(keeper.REMEMBER, folder)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder that :func:`make` made, also where entries may not be written to."""
    sweeping.remove(folder)
    remember(keeper.FORGET, folder)
    held = _HELD.pop(folder, None)
    if held is not None:
        os.close(held)


@contextlib.contextmanager
def temporary(name: str = "", *, brief: bool = False) -> Iterator[Path]:
    """Make a folder (:func:`make`) that is removed when the block ends."""
    folder = make(name, brief=brief)
    try:
        yield folder
    finally:
        remove(folder)


@contextlib.contextmanager
def unfinished(prefix: str, parent: Path) -> Iterator[Path]:
    """Make a folder in ``parent`` that is gone when the block ends, unless it was renamed.

    Raises OSError if it cannot be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    remember(keeper.REMEMBER, folder)
    try:
        yield folder
    finally:
        sweeping.remove(folder)
        remember(keeper.FORGET, folder)
