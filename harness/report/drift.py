"""Render what differs between two releases: for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Protocol

from ..drift.comparison import Comparison
from ..drift.difference import WORST_FIRST, Difference, Impact
from ..drift.impact import Hit
from ..errors import printable
from . import accepted
from .line import Line, Style

#: Of many places only so many are named.
_MOST_PLACES = 3


#: What counts first, and is shown in full wherever there is little room.
_GRAVE = (Impact.PRIVACY, Impact.BREAKING)

_STYLES = {Impact.PRIVACY: Style.BAD, Impact.BREAKING: Style.BAD, Impact.BEHAVIOURAL: Style.CARE}


def summary(comparison: Comparison) -> str:
    """Return one line: between what, and how many differences of each impact there are."""
    told = ", ".join(_counted(comparison.differences))
    number = len(comparison.differences)
    return (
        f"{comparison.old} -> {comparison.new}: {number} difference{'' if number == 1 else 's'}"
        f"{f' ({told})' if told else ''}"
    )


def _counted(found: Sequence[Difference]) -> list[str]:
    numbers = Counter(each.impact for each in found)
    return [f"{numbers[impact]} {impact}" for impact in WORST_FIRST if numbers[impact]]


def terminal(comparison: Comparison) -> str:
    """Return the differences as lines of text, the worst first, and the queries that they hit."""
    return "".join(f"{line.text}\n" for line in lines(comparison))


def lines(comparison: Comparison, most: int | None = None) -> Iterator[Line]:
    """Yield the differences, the worst first, and the queries that they hit.

    ``most``: of the grave ones only so many are shown, and of the others only how many there are.
    """
    if comparison.problem:
        yield Line(f"{comparison.old} -> {comparison.new}: not compared", Style.BAD)
        yield from (Line(f"  {text}", Style.BAD) for text in comparison.problem.splitlines())
        return
    yield Line(summary(comparison), Style.TITLE)
    yield from (Line(f"  {note}") for note in comparison.left_out)
    unshown: list[Difference] = []
    for impact, members in _by_impact(comparison.differences):
        shown = members[: len(members) if most is None else most if impact in _GRAVE else 0]
        unshown += members[len(shown) :]
        if not shown:
            continue
        yield Line()
        yield Line(impact.value.upper(), _STYLES.get(impact, Style.PLAIN))
        for each in shown:
            yield Line(f"  {each.subject}: {each.change}")
            yield from (Line(f"    {label:<4} {text}") for label, text in _facts(each))
    if unshown:
        yield Line()
        yield Line(f"and {', '.join(_counted(unshown))}: --cc-report=DIR writes them all")
    if comparison.hits is not None:
        yield Line()
        yield from map(Line, _affected(comparison.hits))
    if comparison.listed is not None:
        yield from map(Line, accepted.terminal(comparison.listed).splitlines())


def _facts(each: Difference) -> Iterator[tuple[str, str]]:
    if each.of:
        yield "of", _places(each.of)
    if each.old:
        yield "old", each.old
    if each.new:
        yield "new", each.new
    yield "why", each.reason
    if each.changelog is not None:
        yield "log", str(each.changelog)


def markdown(comparison: Comparison) -> str:
    """Return the differences as a Markdown page with a table for each impact."""
    page = ["# Telemetry: " + _cell(summary(comparison)), ""]
    if comparison.problem:
        page += [f"Not compared: {_cell(comparison.problem)}", ""]
    page += [f"* {_cell(note)}" for note in comparison.left_out]
    page += [""] if comparison.left_out else []
    for impact, members in _by_impact(comparison.differences):
        page += [
            f"## {impact.value.capitalize()}",
            "",
            "| what | of | change | old | new | why | changelog |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        page += [f"| {' | '.join(_cells(each))} |" for each in members]
        page.append("")
    if comparison.hits is not None:
        page += ["## Queries", "", *_fenced(_affected(comparison.hits)), ""]
    page += [accepted.markdown(comparison.listed)] if comparison.listed else []
    return "\n".join(page)


def _cells(each: Difference) -> Sequence[str]:
    said = "" if each.changelog is None else str(each.changelog)
    texts = (", ".join(each.of), each.change, each.old, each.new, each.reason, said)
    # Nothing is escaped within code, so it must not end there.
    subject = " ".join(printable(each.subject).split()).replace("`", "'").replace("|", "\\|")
    return f"`{subject}`", *map(_cell, texts)


def as_json(comparison: Comparison) -> str:
    """Return the comparison as one JSON object."""
    plain = asdict(comparison)
    queries = plain.pop("hits")
    del plain["listed"]
    plain["failure"] = comparison.failure
    if queries is not None:
        plain["queries"] = queries
    plain |= accepted.plain(comparison.listed) if comparison.listed else {}
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
    told = [
        f"changed after {good.version}, in {bad.version}"
        if not skipped
        else f"changed after {good.version}, by {bad.version}: "
        f"nothing can be told of {', '.join(each.version for each in skipped)}",
        f"  {good.version}  {good.evidence}",
        *(f"  {each.version}  {each.evidence}" for each in skipped),
        f"  {bad.version}  {bad.evidence}",
    ]
    return "\n".join(told) + "\n"


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
    """Return text for a cell of Markdown, in which no telemetry can write markup of its own."""
    line = " ".join(printable(text).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _fenced(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines as a block of code, whatever they hold."""
    told = [printable(line) for line in lines]
    fence = "```"
    while any(fence in line for line in told):
        fence += "`"
    yield from (fence, *told, fence)
