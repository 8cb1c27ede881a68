"""Write the tables of a matrix beside what was found: HTML, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.assessment.matrix.folder import MatrixFolder, replace_text
from harness.assessment.matrix.table import table
from harness.report import matrix as report

HTML, MARKDOWN, JSON = "matrix.html", "matrix.md", "matrix.json"


def write_pages(folder: MatrixFolder, versions: Sequence[str] | None = None) -> list[Path]:
    """Write the three tables, of some releases or of all that are finished; return their files."""
    entries = folder.entries()
    if versions is not None:
        entries = [entry for entry in entries if entry.version in versions]
    found = table(folder.plan(), entries)
    texts = {
        HTML: report.html(found),
        MARKDOWN: f"# Telemetry of {len(entries)} releases\n\n{report.markdown(found)}",
        JSON: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in texts.items():
        replace_text(folder.path / name, text)
    return [folder.path / name for name in texts]
