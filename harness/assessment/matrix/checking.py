"""Hold the listed deviations to what a matrix found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from ...contract.applicability import needs_run
from ...contract.requirement import Requirement
from ...contract.versions import Version
from ...drift.promises import STATES
from ...findings import Level
from ...judging.expectations import Expectation, packaged_list
from ...judging.verdicts import Row
from ..job import CLAUDE
from .folder import Entry


class Standing(StrEnum):
    """What a matrix says of a listed deviation."""

    #: It was seen on releases of its range, and nothing speaks against it.
    CONFIRMED = "confirmed"
    #: A release of its range keeps the promise, or one outside of it breaks it.
    WRONG = "wrong"
    #: No release of the matrix showed it or its absence: other sessions are needed.
    UNSEEN = "not seen"
    #: It is broken, but only a broken MUST has to be listed.
    UNLISTED = "not listed, and need not be"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found about one listed deviation, or one that is not listed (``listed`` is None).

    ``broken`` are the releases on which it was seen, ``problems`` what speaks against the list.
    """

    requirement: str
    listed: Expectation | None
    standing: Standing
    broken: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def check(entries: Sequence[Entry]) -> list[Checked]:
    """Return what a matrix says of each listed deviation, and what it found that is not listed.

    A release is judged by its own contract, as the list is. An intermittent deviation need not
    show itself; a release on which not every run of a promise was made need not, either.
    """
    ran = [entry for entry in entries if entry.ran and entry.spec.startswith("npm:")]
    rows = {entry.version: {row.requirement: row for row in entry.own} for entry in ran}
    listed = packaged_list()
    found = [_listed(each, ran, rows) for each in listed]
    ranges: dict[str, list[Expectation]] = {}
    for each in listed:
        ranges.setdefault(each.requirement, []).append(each)
    for name in sorted({name for by_name in rows.values() for name in by_name}):
        broken = [
            (version, by_name[name])
            for version, by_name in rows.items()
            if name in by_name
            and _state(by_name[name]) == "broken"
            and not any(Version.parse(version) in each.versions for each in ranges.get(name, ()))
        ]
        if broken:
            found.append(_unlisted(name, broken, listed=name in ranges))
    return found


#: The verdicts by release and requirement.
_Rows = dict[str, dict[str, Row]]


def _listed(each: Expectation, ran: Sequence[Entry], rows: _Rows) -> Checked:
    broken: list[str] = []
    problems: list[str] = []
    for entry in ran:
        row = rows[entry.version].get(each.requirement)
        if row is None or Version.parse(entry.version) not in each.versions:
            continue
        state = _state(row)
        if state == "broken":
            broken.append(entry.version)
        elif state == "kept" and _must_show(each, entry):
            problems.append(f"{entry.version} keeps it: {row.looked_at} were looked at")
    standing = Standing.WRONG if problems else Standing.CONFIRMED if broken else Standing.UNSEEN
    return Checked(each.requirement, each, standing, tuple(broken), tuple(problems))


def _unlisted(name: str, broken: Sequence[tuple[str, Row]], *, listed: bool) -> Checked:
    problems = [
        f"{version} breaks it ({row.level}): {row.findings[0].seen} ({row.findings[0].where})"
        for version, row in broken
        if row.findings
    ]
    must = any(row.level is Level.MUST for _, row in broken)
    standing = Standing.WRONG if must or listed else Standing.UNLISTED
    versions = tuple(version for version, _ in broken)
    return Checked(name, None, standing, versions, tuple(problems))


def _state(row: Row) -> str:
    """Return whether a promise was kept or broken, whatever was listed when it was judged."""
    return STATES.get(row.verdict, "")


def _must_show(each: Expectation, entry: Entry) -> bool:
    """Return whether a release should show a deviation: its list speaks for it, and all was run."""
    requirement = requirements().get(each.requirement)
    ours = each.speaks_for(Version.parse(entry.version))
    if requirement is None or each.intermittent or not ours:
        return False
    needed = {run.label for run in CLAUDE.runs() if needs_run(requirement, run)}
    return bool(needed) and needed <= set(entry.made)


@cache
def requirements() -> dict[str, Requirement]:
    """Return every promise of the CLI, whenever it holds, by its name."""
    return {each.name: each for each in CLAUDE.contract("0.0.0").requirements}


def plain(found: Checked) -> dict[str, Any]:
    """Return what was found as JSON's values."""
    listed = found.listed
    return {
        "requirement": found.requirement,
        "listed": None if listed is None else str(listed.versions),
        "standing": found.standing.value,
        "broken": list(found.broken),
        "problems": list(found.problems),
    }


def told(found: Sequence[Checked]) -> Iterator[str]:
    """Yield lines that tell what a matrix says of the list; what is wrong comes first."""
    order = list(Standing)
    order.sort(key=lambda standing: standing is not Standing.WRONG)
    for standing in order:
        members = [each for each in found if each.standing is standing]
        yield f"{standing}: {len(members)}"
        for each in members:
            where = f"listed {each.listed.versions}" if each.listed else "not listed there"
            seen = f"; broken on {_span(each.broken)}" if each.broken else ""
            yield f"  {each.requirement}: {where}{seen}"
            yield from (f"    {problem}" for problem in each.problems)


def _span(versions: Sequence[str]) -> str:
    if len(versions) < 3:
        return ", ".join(versions)
    return f"{len(versions)} releases, {versions[0]} to {versions[-1]}"
