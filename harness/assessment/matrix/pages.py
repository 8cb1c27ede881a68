"""Write the tables of a matrix beside what was found: HTML, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from harness.assessment.matrix.folder import MatrixFolder, replace_text
from harness.assessment.matrix.table import table
from harness.report import matrix as report

HTML, MARKDOWN, JSON = "matrix.html", "matrix.md", "matrix.json"


def write_pages(folder: MatrixFolder) -> list[Path]:
    """Write the three tables of all releases that are finished; return their files."""
    found = table(folder.plan(), folder.entries())
    texts = {
        HTML: report.html(found),
        MARKDOWN: report.markdown(found),
        JSON: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in texts.items():
        replace_text(folder.path / name, text)
    return [folder.path / name for name in texts]
