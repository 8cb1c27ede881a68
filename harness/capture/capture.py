"""A capture: one run and the exports that it left."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.export import Export
from harness.capture.run import Run


@dataclass(frozen=True, slots=True)
class Capture:
    run: Run
    exports: tuple[Export, ...]
    #: Exports that the store had to forget because its memory limit was reached.
    forgotten: int = 0
