"""Tell how far a matrix is, and about how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from .folder import Entry


class Progress:
    """Lines about ``total`` releases, with an estimate from those that are done.

    ``side_by_side`` processes make them together.
    """

    def __init__(self, total: int, write: Callable[[str], None], side_by_side: int = 1) -> None:
        self._side_by_side = side_by_side
        self.line = write
        self._total = total
        self._done = 0
        self._lengths_s: list[float] = []

    def begin(self, version: str) -> None:
        """Say which release comes."""
        self.line(f"{version}: release {self._done + 1} of {self._total}{self._left()}")

    def already(self, entry: Entry) -> None:
        """Count a release that was finished before."""
        self._done += 1
        self._lengths_s.append(entry.seconds)

    def end(self, entry: Entry) -> None:
        """Say how a release ended."""
        self._done += 1
        if entry.ran:
            self._lengths_s.append(entry.seconds)
            undriven = f", without {', '.join(entry.undriven)}" if entry.undriven else ""
            self.line(f"{entry.version}: done in {entry.seconds:.0f} s{undriven}")
        else:
            self.line(f"{entry.version}: not run: {entry.reason}")

    def _left(self) -> str:
        if not self._lengths_s:
            return ""
        seconds = mean(self._lengths_s) * (self._total - self._done) / self._side_by_side
        if seconds < 90:
            return f", about {seconds:.0f} s left"
        return f", about {seconds / 60:.0f} min left"
