"""Tabulate a matrix: requirement by release, and difference by pair of neighbours.

The table is plain JSON, as ``schemas/matrix.schema.json`` describes it; reports render it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ...capture.serialization import to_plain
from ...drift.compare import differences
from ...drift.difference import WORST_FIRST, Difference, merged
from ...drift.promises import STATES, promise_changes
from ...findings import Verdict
from ...judging.verdicts import Row
from .checking import Checked, check, requirements
from .folder import Entry, MatrixPlan

#: The version of the table's format.
FORMAT = 1

#: Cells that are no verdict: the release was not run; nobody promised it yet, and it is kept
#: already, or is not.
NOT_RUN, EARLY, ABSENT = "not run", "early", "absent"

#: Finds the line of the changelog that tells of a difference between two releases: an empty text
#: is none, and None says that it is not known.
Mention = Callable[[Difference, str, str], str | None]

#: Changes with which a thing begins, and with which it ends.
_BEGINS = frozenset({"new", "sent", "is now kept", "comes out"})
_ENDS = frozenset({"gone", "not sent", "is now broken", "no longer comes out"})


def unknown(difference: Difference, old: str, new: str) -> None:
    """Say that the changelog is not known (a :data:`Mention`)."""


def table(plan: MatrixPlan, entries: Sequence[Entry], mention: Mention = unknown) -> dict[str, Any]:
    """Return the table of these releases, which are in order."""
    evidence = _Evidence()
    rows = [_requirement(cells, evidence) for cells in _by_requirement(entries)]
    return {
        "format": FORMAT,
        "by": plan.by,
        "scenarios": list(plan.scenarios),
        "releases": [_release(entry) for entry in entries],
        "requirements": rows,
        "differences": _differences([entry for entry in entries if entry.ran], mention),
        "listed": [_listed(each) for each in check(entries)],
        "evidence": evidence.all,
    }


def _listed(checked: Checked) -> dict[str, Any]:
    return {
        "requirement": checked.requirement,
        "versions": None if checked.listed is None else str(checked.listed.versions),
        "standing": checked.standing.value,
        "broken": list(checked.broken),
        "problems": list(checked.problems),
    }


def _release(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "ran": entry.ran,
        "reason": entry.reason,
        "seconds": entry.seconds,
        "runs": len(entry.made),
        "undriven": dict(entry.undriven),
    }


#: What is known of one requirement on one release: its own verdict, and the common one.
_Cell = tuple[Entry, Row | None, Row | None]


def _by_requirement(entries: Sequence[Entry]) -> Iterator[list[_Cell]]:
    """Yield the verdicts on each requirement that is promised by anybody, release by release."""
    own = [{row.requirement: row for row in entry.own} for entry in entries]
    common = [{row.requirement: row for row in entry.common} for entry in entries]
    for name in sorted({name for rows in own for name in rows}):
        cells: list[_Cell] = [
            (entry, own[at].get(name), common[at].get(name)) for at, entry in enumerate(entries)
        ]
        if any(_applies(row) for _, *rows in cells for row in rows):
            yield cells


def _requirement(cells: Sequence[_Cell], evidence: _Evidence) -> dict[str, Any]:
    row = next(row for _, row, _ in reversed(cells) if row is not None)
    promise = requirements().get(row.requirement)
    states = [(entry.version, _state(*rows)) for entry, *rows in cells]
    changes = list(_changes(states))
    return {
        "requirement": row.requirement,
        "theme": row.requirement.partition(".")[0],
        "level": row.level.value,
        "statement": row.statement,
        "source": row.source,
        "url": row.url,
        "promised": "" if promise is None else str(promise.versions),
        "since": _last(changes, "kept"),
        "until": _last(changes, "broken"),
        "changes": changes,
        "cells": [_cell(each, evidence) for each in cells],
    }


def _state(own: Row | None, common: Row | None) -> str:
    """Return ``kept`` or ``broken``, by the one contract as far as it speaks of it; else nothing.

    What only failed to show itself is neither: that is told by what is no longer sent.
    """
    row = common if _applies(common) else own
    return "" if row is None or row.silent else STATES.get(row.verdict, "")


def _applies(row: Row | None) -> bool:
    return row is not None and row.verdict is not Verdict.NOT_APPLICABLE


def _changes(states: Sequence[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Yield between which releases the state changed."""
    known = [(version, state) for version, state in states if state]
    for (before, old), (after, new) in pairwise(known):
        if old != new:
            yield {"after": before, "in": after, "to": new}


def _last(changes: Sequence[Mapping[str, str]], to: str) -> str | None:
    return next((each["in"] for each in reversed(changes) if each["to"] == to), None)


def _cell(cell: _Cell, evidence: _Evidence) -> dict[str, Any]:
    entry, own, common = cell
    if not entry.ran:
        return {"verdict": NOT_RUN, "evidence": evidence.number({"reason": entry.reason})}
    if own is not None and _applies(own):
        return {
            "verdict": own.verdict.value,
            "looked_at": own.looked_at,
            **evidence.of(own),
        }
    state = _state(None, common)
    if common is None or not state:
        return {"verdict": Verdict.NOT_APPLICABLE.value}
    verdict = EARLY if state == "kept" else ABSENT
    # What is listed is listed for the release by whose contract this is judged.
    found = {"findings": to_plain(common.findings)} if common.findings else {}
    return {
        "verdict": verdict,
        "looked_at": common.looked_at,
        **({"evidence": evidence.number(found)} if found else {}),
    }


class _Evidence:
    """What stands behind the cells; many have the same, so each is kept once."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}

    def of(self, row: Row) -> dict[str, int]:
        """Return the reference to the evidence of a row, if there is something to tell."""
        told = {
            "reason": row.reason,
            "evidence": row.evidence,
            "findings": [
                {"expected": each.expected, "seen": each.seen, "where": each.where}
                for each in row.findings
            ],
        }
        told = {key: value for key, value in told.items() if value}
        return {"evidence": self.number(told)} if told else {}

    def number(self, told: dict[str, Any]) -> int:
        """Return the number of this evidence."""
        if "findings" in told:
            keys = ("expected", "seen", "where")
            told = {**told, "findings": [{k: each[k] for k in keys} for each in told["findings"]]}
        number = self._numbers.setdefault(repr(told), len(self.all))
        if number == len(self.all):
            self.all.append(told)
        return number


def _differences(ran: Sequence[Entry], mention: Mention) -> list[dict[str, Any]]:
    """Return what differs between neighbours, by what it is about; the worst first."""
    rows: dict[str, list[tuple[Difference, str, str]]] = {}
    for old, new in pairwise(ran):
        for each in _between(old, new):
            rows.setdefault(each.subject, []).append((each, old.version, new.version))
    found = [_difference(subject, seen, mention) for subject, seen in rows.items()]
    return sorted(found, key=lambda row: (_rank(row), row["subject"]))


def _between(old: Entry, new: Entry) -> list[Difference]:
    assert old.inventory is not None
    assert new.inventory is not None
    kept, later = (list(_compared(*pair)) for pair in ((old, new), (new, old)))
    return merged([*differences(old.inventory, new.inventory), *promise_changes(kept, later)])


def _compared(entry: Entry, other: Entry) -> Iterator[Row]:
    """Yield the verdicts by which a release is compared: both releases by one contract.

    That is the common one. What it does not speak of any more is compared by their own, where both
    have it.
    """
    own = {row.requirement: row for row in entry.own}
    others = {row.requirement: row for row in other.own}
    for row in entry.common:
        chosen = row if _applies(row) else own.get(row.requirement)
        if chosen is not row and not _applies(others.get(row.requirement)):
            continue
        if chosen is not None and not chosen.silent:
            yield chosen


def _difference(
    subject: str, seen: Sequence[tuple[Difference, str, str]], mention: Mention
) -> dict[str, Any]:
    places = [
        {
            "old": old,
            "new": new,
            "change": each.change,
            "before": each.old,
            "after": each.new,
            "impact": each.impact.value,
            "reason": each.reason,
            "of": list(each.of),
            "changelog": mention(each, old, new),
        }
        for each, old, new in seen
    ]
    begun = [place["new"] for place in places if place["change"] in _BEGINS]
    ended = [place["new"] for place in places if place["change"] in _ENDS]
    return {
        "subject": subject,
        "since": begun[-1] if begun else None,
        "until": ended[-1] if ended else None,
        "seen": places,
    }


def _rank(row: Mapping[str, Any]) -> int:
    order = [impact.value for impact in WORST_FIRST]
    return min(order.index(place["impact"]) for place in row["seen"])
