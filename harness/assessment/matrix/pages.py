"""Write the tables of a matrix beside what was found: HTML, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from ...contract.versions import Version
from ...drift.changelog import known
from ...drift.difference import Difference
from ...errors import UsageError
from ...report import matrix as report
from .folder import MatrixFolder, replace_text
from .table import table

HTML, MARKDOWN, JSON = "matrix.html", "matrix.md", "matrix.json"


def write_pages(folder: MatrixFolder) -> list[Path]:
    """Write the three tables of all releases that are finished; return their files.

    Raises UsageError where an earlier version of us left what cannot be compared any more.
    """
    entries = folder.entries()
    for entry in entries:
        if entry.ran and not entry.current:
            raise UsageError(
                f"release {entry.version} in {folder.path}",
                seen="an inventory of another format",
                expected="today's: the same cc-harness matrix runs the release again",
            )
    found = table(folder.plan(), entries, _mention)
    texts = {
        HTML: report.html(found),
        MARKDOWN: report.markdown(found),
        JSON: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in texts.items():
        replace_text(folder.path / name, text)
    return [folder.path / name for name in texts]


def _mention(difference: Difference, old: str, new: str) -> str | None:
    """Return the changelog's lines about a difference; None if it is not known that far."""
    mention = known().mention(difference, Version.parse(old), Version.parse(new))
    return None if mention.complete_to else "; ".join(mention.lines)
