"""Render what differs between two releases: for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Protocol

from harness.drift.accepted import Sorted
from harness.drift.difference import WORST_FIRST, Difference, Impact
from harness.drift.impact import Hit
from harness.report import accepted

#: Of many places only so many are named.
_MOST_PLACES = 3


def summary(old: str, new: str, found: Sequence[Difference]) -> str:
    """Return one line: between what, and how many differences of each impact there are."""
    numbers = Counter(each.impact for each in found)
    told = ", ".join(f"{numbers[impact]} {impact}" for impact in WORST_FIRST if numbers[impact])
    number = f"{len(found)} difference{'' if len(found) == 1 else 's'}"
    return f"{old} -> {new}: {number}{f' ({told})' if told else ''}"


def terminal(
    old: str,
    new: str,
    found: Sequence[Difference],
    hits: Sequence[Hit] | None = None,
    listed: Sorted | None = None,
) -> str:
    """Return the differences as lines of text, the worst first, and the queries that they hit."""
    lines = [*_terminal(old, new, found)]
    if hits is not None:
        lines += ["", *_affected(hits)]
    return "\n".join(lines) + "\n" + (accepted.terminal(listed) if listed else "")


def _terminal(old: str, new: str, found: Sequence[Difference]) -> Iterator[str]:
    yield summary(old, new, found)
    for impact, members in _by_impact(found):
        yield ""
        yield impact.value.upper()
        for each in members:
            yield f"  {each.subject}: {each.change}"
            yield from (f"    {label:<4} {text}" for label, text in _facts(each))


def _facts(each: Difference) -> Iterator[tuple[str, str]]:
    if each.of:
        yield "of", _places(each.of)
    if each.old:
        yield "old", each.old
    if each.new:
        yield "new", each.new
    yield "why", each.reason


def markdown(
    old: str,
    new: str,
    found: Sequence[Difference],
    hits: Sequence[Hit] | None = None,
    listed: Sorted | None = None,
) -> str:
    """Return the differences as a Markdown page with a table for each impact."""
    lines = ["# Telemetry: " + _cell(summary(old, new, found)), ""]
    for impact, members in _by_impact(found):
        lines += [
            f"## {impact.value.capitalize()}",
            "",
            "| what | of | change | old | new | why |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {' | '.join(map(_cell, cells))} |"
            for each in members
            for cells in [
                (
                    f"`{each.subject}`",
                    ", ".join(each.of),
                    each.change,
                    each.old,
                    each.new,
                    each.reason,
                )
            ]
        ]
        lines.append("")
    if hits is not None:
        lines += ["## Queries", "", "```", *_affected(hits), "```", ""]
    lines += [accepted.markdown(listed)] if listed and listed.listing else []
    return "\n".join(lines)


def as_json(
    old: str,
    new: str,
    found: Sequence[Difference],
    hits: Sequence[Hit] | None = None,
    listed: Sorted | None = None,
) -> str:
    """Return the differences as one JSON object."""
    plain: dict[str, object] = {
        "old": old,
        "new": new,
        "differences": [asdict(each) for each in found],
    }
    if hits is not None:
        plain["queries"] = [asdict(each) for each in hits]
    plain |= accepted.plain(listed) if listed else {}
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


class Seen(Protocol):
    """What was found on one release."""

    @property
    def version(self) -> str: ...

    @property
    def evidence(self) -> str: ...


def _affected(hits: Sequence[Hit]) -> Iterator[str]:
    """Yield the queries that depend on a difference, or never could match."""
    number = sum(bool(hit.differences) for hit in hits)
    never = sum(bool(hit.never) for hit in hits)
    yield f"queries: {number} depend on what changed, {never} never could match"
    for hit in hits:
        query = hit.query
        yield ""
        yield f"{query.file} · {query.name}"
        yield f"  {' '.join(query.text.split())}"
        for each in hit.differences:
            told = " -> ".join(filter(None, (each.old, each.new)))
            yield f"  {each.impact:<13} {each.subject}: {each.change}{f' ({told})' if told else ''}"
        for why in hit.never:
            yield f"  never matches {why}"


def neighbours(good: Seen, bad: Seen, skipped: Sequence[Seen]) -> str:
    """Return the end of a search: the two releases between which something changed."""
    lines = [
        f"changed after {good.version}, in {bad.version}"
        if not skipped
        else f"changed after {good.version}, by {bad.version}: "
        f"nothing can be told of {', '.join(each.version for each in skipped)}",
        f"  {good.version}  {good.evidence}",
        *(f"  {each.version}  {each.evidence}" for each in skipped),
        f"  {bad.version}  {bad.evidence}",
    ]
    return "\n".join(lines) + "\n"


def _by_impact(found: Sequence[Difference]) -> Iterator[tuple[Impact, list[Difference]]]:
    for impact in WORST_FIRST:
        members = [each for each in found if each.impact is impact]
        if members:
            yield impact, members


def _places(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_MOST_PLACES])
    more = len(places) - _MOST_PLACES
    return f"{shown} and {more} more" if more > 0 else shown


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
