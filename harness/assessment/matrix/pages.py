"""Write the tables of a matrix beside what was found: HTML, Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from harness.assessment.matrix.folder import MatrixFolder, replace_text
from harness.assessment.matrix.table import table
from harness.contract.versions import Version
from harness.drift.changelog import known
from harness.drift.difference import Difference
from harness.report import matrix as report

HTML, MARKDOWN, JSON = "matrix.html", "matrix.md", "matrix.json"


def write_pages(folder: MatrixFolder) -> list[Path]:
    """Write the three tables of all releases that are finished; return their files."""
    found = table(folder.plan(), folder.entries(), _mention)
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
