"""Render one failing row as a block of text: the promise, and the findings against it."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import printable
from ..findings import Verdict
from ..judging.listing import PACKAGED
from ..judging.verdicts import Row

#: Findings shown in full; the record holds all of them.
SHOWN = 3


def failure(row: Row, rerun: str, *, shown: int = SHOWN) -> list[str]:
    """Render a row that fails, or would at another level; the first line is its statement.

    At most ``shown`` findings are rendered; ``rerun`` is the command that judges the row again.
    What is not to be printed is escaped.
    """
    fields = (f"  {label:<9} {text}" for label, text in _fields(row, rerun, shown))
    return [printable(text) for text in (f"{row.statement} [{row.level}]", *fields)]


def _fields(row: Row, rerun: str, shown: int) -> Iterator[tuple[str, str]]:
    match row.verdict:
        case Verdict.FIXED:
            yield "fixed", f"the deviation that {row.listed_in or PACKAGED} lists was not seen"
            yield "listed", row.reason
            yield "evidence", row.evidence
        case Verdict.KNOWN:
            yield "listed", row.reason
        case Verdict.ERROR:
            yield "error", row.reason
    if row.news:
        yield "news", row.news
    for finding in row.findings[:shown]:
        yield "expected", finding.expected
        yield "seen", finding.seen
        yield "where", finding.where
        if finding.by_hand:
            yield "by hand", finding.by_hand
    more = len(row.findings) - shown
    if more > 0:
        yield "", f"and {more} more, of {row.looked_at} looked at"
    if len(set(row.by_protocol.values())) > 1:
        yield (
            "over",
            ", ".join(f"{protocol}: {verdict}" for protocol, verdict in row.by_protocol.items()),
        )
    if row.advice:
        yield "advice", row.advice
    yield "source", row.source
    if row.url:
        yield "link", row.url
    yield "rerun", rerun
