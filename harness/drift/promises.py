"""Compare the verdicts on two releases, both judged by the contract of the newer one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..findings import Level, Verdict
from ..judging.verdicts import Row
from .difference import Difference, Impact

#: What a verdict says of the promise. A listed deviation is a broken promise, whoever knows it;
#: where nothing was seen, nothing is said.
STATES = {
    Verdict.PASS: "kept",
    Verdict.FIXED: "kept",
    Verdict.FAIL: "broken",
    Verdict.KNOWN: "broken",
}

_PRIVACY = "privacy."


def promise_changes(old: Iterable[Row], new: Iterable[Row]) -> Iterator[Difference]:
    """Yield the promises that one release keeps and the other breaks."""
    before = {row.requirement: row for row in old}
    for row in new:
        earlier = before.get(row.requirement)
        states = [STATES.get(each.verdict, "") for each in (earlier, row) if each is not None]
        if len(states) < 2 or "" in states or states[0] == states[1]:
            continue
        assert earlier is not None
        impact, reason = _class(row, broken=states[1] == "broken")
        yield Difference(
            f"promise {row.requirement}",
            f"is now {states[1]}",
            _seen(earlier),
            _seen(row),
            impact,
            reason,
        )


def _class(row: Row, *, broken: bool) -> tuple[Impact, str]:
    if not broken:
        return Impact.BEHAVIOURAL, f"{row.statement} Before, that was not so."
    if row.requirement.startswith(_PRIVACY):
        return Impact.PRIVACY, f"It no longer holds: {row.statement}"
    impact = Impact.BREAKING if row.level is Level.MUST else Impact.BEHAVIOURAL
    return impact, f"It no longer holds: {row.statement}"


def _seen(row: Row) -> str:
    if not row.findings:
        return "as promised"
    finding = row.findings[0]
    return f"{finding.seen} ({finding.where})"
