"""Propose entries for a list of accepted deviations, each for a reviewer to give its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..findings import Verdict
from .listing import FORMAT, PACKAGED, Listing
from .silence import is_silence
from .verdicts import Row, fails_the_run


def proposed(rows: Iterable[Row], release: str, evidence: str) -> list[dict[str, Any]]:
    """Return an entry for each requirement that fails the run and that no list excuses.

    ``release`` is the subject's (empty: it has none), ``evidence`` says what was run, and when.
    What our list excuses and is gone is proposed as not accepted any more. Faults of the harness
    and what is gone of somebody's own list are no deviations, and not proposed.
    """
    return [
        {
            "requirements": [row.requirement],
            **({"since": release} if release else {}),
            **_kind(row),
            "reason": "",
            "evidence": f"{evidence}: {_seen(row)}.",
        }
        for row in rows
        if fails_the_run(row)
        and (row.verdict is Verdict.FAIL or (row.verdict is Verdict.FIXED and not row.listed_in))
    ]


def with_proposals(own: Listing, entries: Sequence[Mapping[str, Any]], release: str) -> str:
    """Return the text of a list: somebody's own, and what is proposed for it.

    A new list speaks for releases up to ``release``; of another one it is its keeper who says so.
    """
    newest = own.newest_measured if own.file else release
    plain = {
        "format": FORMAT,
        **({"newest_measured": newest} if newest else {}),
        "deviations": [*own.deviations, *entries],
    }
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def _kind(row: Row) -> dict[str, bool]:
    if row.verdict is Verdict.FIXED:
        return {"accepted": False}
    return {"silent": True} if all(map(is_silence, row.findings)) else {}


def _seen(row: Row) -> str:
    if row.verdict is Verdict.FIXED:
        return f"the deviation that {PACKAGED} lists was not seen ({row.reason.rstrip('.')})"
    finding = row.findings[0]
    more = len(row.findings) - 1
    told = f"expected {finding.expected}, seen {finding.seen}, at {finding.where}"
    return told + (f", and {more} more, of {row.looked_at} looked at" if more else "")
