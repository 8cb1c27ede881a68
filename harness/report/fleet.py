"""Render what came of a capture of production data, for a terminal and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ..findings import Verdict
from ..fleet.summary import Checked, ReleaseRows
from ..judging.verdicts import Row, counts
from ..otlp.model import Signal
from .failure import failure

_ITEMS = {
    Signal.METRICS: "data points",
    Signal.LOGS: "log records",
    Signal.TRACES: "spans",
}
#: Reasons why requirements were not exercised that are listed; the JSON has all of them.
_REASONS = 12
_BROKEN = 10


def terminal(checked: Checked, rerun: str) -> list[str]:
    """Render the whole summary as lines; ``rerun`` is the command that checks the capture."""
    lines = [f"capture   {_files(checked)}, {checked.messages} messages"]
    if checked.environment:
        pairs = " ".join(f"{name}={value}" for name, value in checked.environment.items())
        lines.append(f"declared  of its sessions: {pairs}")
    for release in checked.releases:
        lines += ["", *_release(release, rerun)]
    lines += ["", *_unjudged(checked)]
    decided = checked.decision
    lines.append(f"{'FAILED' if decided.failed else 'ok'}: {decided.why}")
    return lines


def overview(checked: Checked) -> Iterator[str]:
    """Render what is not said by the rows themselves: numbers, reasons, and what was not judged."""
    yield f"capture   {_files(checked)}, {checked.messages} messages"
    for release in checked.releases:
        yield from _head(release)
        yield from _not_exercised(release)
    yield from _unjudged(checked)
    decided = checked.decision
    yield f"{'FAILED' if decided.failed else 'ok'}: {decided.why}"


def _files(checked: Checked) -> str:
    names = checked.files
    return names[0] if len(names) == 1 else f"{len(names)} files, {names[0]} to {names[-1]}"


def _head(release: ReleaseRows) -> Iterator[str]:
    items = " · ".join(
        f"{number} {_ITEMS[signal]}" for signal, number in sorted(release.items.items())
    )
    yield f"release {release.version}: {items}"
    if release.note:
        yield f"  note: {release.note}"
    numbers = counts(release.rows)
    yield "  " + " · ".join(f"{number} {verdict}" for verdict, number in numbers.items() if number)


def _release(release: ReleaseRows, rerun: str) -> Iterator[str]:
    yield from _head(release)
    for row in release.rows:
        if row.verdict in (Verdict.FAIL, Verdict.ERROR):
            yield ""
            yield f"  {row.requirement}"
            yield from (f"  {line}" for line in failure(_with_all(row, release), rerun))
    known = [row for row in release.rows if row.verdict is Verdict.KNOWN]
    if known:
        yield ""
        yield f"  known deviations: {', '.join(row.requirement for row in known)}"
    yield from _not_exercised(release)


def _with_all(row: Row, release: ReleaseRows) -> Row:
    """Return a row that says how often its requirement is broken, findings not kept included."""
    number = release.broken.get(row.requirement)
    if number is None:
        return row
    return replace(row, statement=f"{row.statement} ({number} times not)")


def _not_exercised(release: ReleaseRows) -> Iterator[str]:
    reasons = Counter(
        row.reason for row in release.rows if row.verdict is Verdict.NOT_EXERCISED
    ).most_common()
    if not reasons:
        return
    yield ""
    yield "  not exercised, because"
    for reason, number in reasons[:_REASONS]:
        yield f"  {number:5}  {reason}"
    if rest := sum(number for _, number in reasons[_REASONS:]):
        yield f"  {rest:5}  other reasons (--json lists all)"


def _unjudged(checked: Checked) -> Iterator[str]:
    for broken in checked.broken[:_BROKEN]:
        yield f"not read: {broken.where}: {broken.why}"
    if (more := checked.number_broken - _BROKEN) > 0:
        yield f"not read: {more} more"
    for name, number in checked.unreleased.items():
        yield f"not judged: {number} items of the CLI, whose release is told as {name!r}"
    for scope, number in checked.foreign.items():
        yield f"left out: {number} items of {scope}, which is another program"
    if checked.forgotten:
        yield (
            f"note: {checked.forgotten} sessions had to be forgotten before the end; what came "
            "of them later counts as another session"
        )


def as_json(checked: Checked, more: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Render everything as JSON: rows grouped by release; ``more`` comes before."""
    decided = checked.decision
    return json.dumps(
        {
            **more,
            "files": checked.files,
            "messages": checked.messages,
            "environment": dict(checked.environment),
            "releases": [_release_json(release) for release in checked.releases],
            "broken": [{"where": each.where, "why": each.why} for each in checked.broken],
            "number_broken": checked.number_broken,
            "unreleased": dict(checked.unreleased),
            "foreign": dict(checked.foreign),
            "failed": decided.failed,
            "why": decided.why,
        },
        indent=1,
        ensure_ascii=False,
    )


def _release_json(release: ReleaseRows) -> Mapping[str, Any]:
    return {
        "release": release.version,
        "note": release.note,
        "items": {signal.value: number for signal, number in release.items.items()},
        "rows": [
            {
                "requirement": row.requirement,
                "level": row.level.value,
                "verdict": row.verdict.value,
                "reason": row.reason,
                "looked_at": row.looked_at,
                "broken": release.broken.get(row.requirement, len(row.findings)),
                "findings": [
                    {"expected": each.expected, "seen": each.seen, "where": each.where}
                    for each in row.findings
                ],
            }
            for row in release.rows
        ],
    }
