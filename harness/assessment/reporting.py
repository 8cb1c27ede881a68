"""Write a comparison as files: for machines, for a pull request, and for a browser."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..drift.comparison import Comparison
from ..errors import UsageError
from ..report import drift
from ..report.drift_page import page
from .writing import write_whole

_FILES: Mapping[str, Callable[[Comparison], str]] = {
    "diff.json": drift.as_json,
    "diff.md": drift.markdown,
    "diff.html": page,
}


def check_folder(folder: Path, option: str) -> None:
    """Make the folder, and raise UsageError if nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{option} {folder}", seen=str(error), expected="a folder that we can write to"
        ) from error


def write_reports(folder: Path, comparison: Comparison) -> Iterator[Path]:
    """Write each file as a whole, and yield its path.

    Raises UsageError for one that cannot be written; those before it stay.
    """
    for name, render in _FILES.items():
        path = folder / name
        write_whole(path, render(comparison), f"report file {path}")
        yield path
