"""Render what is broken as GitLab's code quality report: what a merge request makes worse."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..errors import printable
from ..findings import Impact
from ..judging.verdicts import Row
from .screen import broken_rows, impact, listed_rows
from .summary import Summary

FILE_NAME = "code-quality.json"

_SEVERITY = {
    Impact.PRIVACY: "blocker",
    Impact.LOSS: "critical",
    Impact.NUMBERS: "critical",
    Impact.SETUP: "major",
    Impact.INCONVENIENCE: "minor",
    Impact.FORM: "minor",
}


def code_quality(summary: Summary) -> str:
    """Render a JSON list with an entry for each broken promise, the worst first.

    Listed deviations are in it as well, as mere information: so GitLab does not call one new
    when it is no longer listed, nor gone when it is. The path is the requirement's name, for it is
    broken in no file.
    """
    order = list(Impact)
    broken = sorted(broken_rows(summary.rows), key=lambda row: order.index(impact(row)))
    entries = [_entry(row, _SEVERITY[impact(row)]) for row in broken]
    entries += [_entry(row, "info") for row in listed_rows(summary.rows)]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _entry(row: Row, severity: str) -> dict[str, Any]:
    seen = f" Seen: {row.findings[0].seen}." if row.findings else ""
    listed = f" {row.reason}" if row.reason else ""
    return {
        "description": printable(f"{row.statement} [{row.level}]{seen}{listed}"),
        "check_name": row.requirement,
        # By this alone GitLab knows an entry again, so it holds nothing of what was seen.
        "fingerprint": hashlib.sha256(row.requirement.encode()).hexdigest(),
        "severity": severity,
        "location": {"path": row.requirement, "lines": {"begin": 1}},
    }
