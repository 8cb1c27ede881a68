"""Install the releases of a matrix, and remove them again when they take too much room."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from ...errors import UsageError
from ...subject import npm
from ...subject.binary import Binary, resolve
from .chosen import Chosen

_UNITS = {"M": 10**6, "G": 10**9}


def parse_size(text: str) -> int:
    """Return the bytes that ``5G`` or ``500M`` stands for."""
    match = re.fullmatch(r"(\d+)([MG])", text.strip().upper())
    if match is None:
        raise UsageError("--cache-limit", seen=repr(text), expected="a size such as 500M or 5G")
    return int(match.group(1)) * _UNITS[match.group(2)]


class Cache:
    """The installed releases; those that a matrix installed are marked in its folder ``marks``.

    What was there before is never removed, and neither is what a process runs, or what another
    process of the matrix is at work on (``busy``).
    """

    def __init__(self, marks: Path, limit: int, busy: Callable[[str], bool]) -> None:
        self._marks = marks
        self._limit = limit
        self._busy = busy

    def resolve(self, chosen: Chosen, progress: Callable[[str], None]) -> Binary:
        """Install a release, if it is not there, and return it."""
        if not chosen.spec.startswith("npm:"):
            return resolve(chosen.spec, progress=progress)
        folder = npm.folder_of(chosen.version)
        if not os.path.exists(folder):
            mark = self._marks / chosen.version
            # Before the install: if this process is killed meanwhile, it is ours all the same.
            self._marks.mkdir(parents=True, exist_ok=True)
            mark.write_text(str(folder), encoding="utf-8")
        return resolve(chosen.spec, progress=progress)

    def trim(self, progress: Callable[[str], None]) -> None:
        """Remove what the matrix installed, the oldest first, until it is within the limit."""
        ours = {mark: npm.folder_of(mark.name) for mark in self._oldest_first()}
        sizes = {mark: _size(folder) for mark, folder in ours.items()}
        total = sum(sizes.values())
        for mark, folder in ours.items():
            if total <= self._limit:
                return
            if self._busy(mark.name) or _runs_from(folder):
                continue
            progress(f"removing {mark.name}, which the matrix installed, for --cache-limit")
            shutil.rmtree(folder, ignore_errors=True)
            mark.unlink(missing_ok=True)
            total -= sizes[mark]

    def _oldest_first(self) -> list[Path]:
        """Return the marks of what is in this cache: with another one, they are of that."""
        marks = self._marks.iterdir() if self._marks.is_dir() else iter(())
        here = [
            mark
            for mark in marks
            if mark.read_text(encoding="utf-8") == str(npm.folder_of(mark.name))
        ]
        return sorted(here, key=lambda mark: mark.stat().st_mtime_ns)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names)


def _runs_from(folder: Path) -> bool:
    """Return whether a process runs a program of this folder."""
    start = f"{folder}{os.sep}"
    for process in psutil.process_iter(["exe", "cmdline"]):
        words = [process.info["exe"] or "", *(process.info["cmdline"] or ())]
        if any(word.startswith(start) for word in words):
            return True
    return False
