"""Render the table of a matrix: as Markdown, and as an HTML page that needs no other file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..drift.difference import WORST_FIRST
from .templates import template

#: The table, as ``schemas/matrix.schema.json`` describes it.
Table = Mapping[str, Any]

#: What stands in a cell for each verdict, and what it means.
SYMBOLS: Mapping[str, tuple[str, str]] = {
    "pass": ("✓", "kept"),
    "fail": ("✗", "broken, and not listed"),
    "known": ("k", "broken, as listed"),
    "fixed": ("f", "listed as broken, and kept"),
    "not exercised": ("·", "nothing was seen to tell"),
    "not applicable": (" ", "not promised"),
    "early": ("+", "kept before it was promised"),
    "absent": ("-", "not kept, and not promised yet"),
    "error": ("!", "the harness cannot tell"),
    "not run": ("?", "the release was not run"),
}

#: In Markdown, a space at the beginning or the end of code is lost.
_BLANK = "_"

#: Verdicts by which a requirement is not the same on all releases, or not as it should be.
_OF_NOTE = frozenset({"fail", "known", "fixed", "error", "absent"})

#: Of many places, and of long texts, so much is shown in Markdown.
_MOST_PLACES, _MOST_TEXT = 3, 110


def html(table: Table) -> str:
    """Return the table as one HTML page: to be filtered, and each cell opens its evidence."""
    ran = [release["version"] for release in table["releases"] if release["ran"]]
    return template("matrix.html.jinja").render(
        table=table,
        symbols=SYMBOLS,
        impacts=[impact.value for impact in WORST_FIRST],
        themes=sorted({row["theme"] for row in table["requirements"]}),
        pairs=list(pairwise(ran)),
        of_note=_of_note,
        by_pair=_by_pair,
        worst=_worst,
        # Only what a click shows; the rest is in the page already.
        data={
            "releases": [release["version"] for release in table["releases"]],
            "requirements": [
                {
                    **{
                        key: row[key]
                        for key in ("requirement", "statement", "source", "url", "promised")
                    },
                    "cells": [
                        [cell["verdict"], cell.get("looked_at", 0), cell.get("evidence", -1)]
                        for cell in row["cells"]
                    ],
                }
                for row in table["requirements"]
            ],
            "evidence": table["evidence"],
        },
    )


def _of_note(row: Mapping[str, Any]) -> bool:
    """Return whether a requirement changed, or is broken somewhere."""
    return bool(row["changes"]) or any(cell["verdict"] in _OF_NOTE for cell in row["cells"])


def _by_pair(row: Mapping[str, Any]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for seen in row["seen"]:
        found.setdefault((seen["old"], seen["new"]), []).append(seen)
    return found


def _worst(seen: Sequence[Mapping[str, Any]]) -> str:
    impacts = {each["impact"] for each in seen}
    return next(impact.value for impact in WORST_FIRST if impact.value in impacts)


def markdown(table: Table) -> str:
    """Return the table as Markdown: the releases, what is of note, and what changed where."""
    return "\n".join(
        [
            *_head(table),
            *_releases(table),
            *_requirements(table),
            *_differences(table),
            *_listed(table),
            *_legend(),
        ]
    )


def _head(table: Table) -> Iterator[str]:
    yield "# Releases: what each keeps, and what changed in which"
    yield ""
    yield "Made by this command, which also writes a page in which each cell opens its evidence:"
    yield ""
    yield "```console"
    yield f"cc-harness matrix {' '.join(each['version'] for each in table['releases'])} \\"
    yield f"  --scenarios={','.join(table['scenarios'])} --as={table['by']} --output FOLDER"
    yield "```"
    yield ""


def _releases(table: Table) -> Iterator[str]:
    releases = table["releases"]
    ran = [each["version"] for each in releases if each["ran"]]
    yield f"{len(ran)} releases were run: {', '.join(ran)}."
    yield ""
    yield (
        f"Sessions: {', '.join(table['scenarios'])}. What other sessions would show is not in "
        f"this table. All releases are compared by the contract of {table['by']}."
    )
    yield ""
    for each in releases:
        if not each["ran"]:
            yield f"* {each['version']} was not run: {_cut(each['reason'])}"
        for label, reason in each["undriven"].items():
            yield f"* {each['version']} could not be driven through {label}: {_cut(reason)}"
    yield ""


def _requirements(table: Table) -> Iterator[str]:
    rows = [row for row in table["requirements"] if _of_note(row)]
    same = len(table["requirements"]) - len(rows)
    yield "## Requirements"
    yield ""
    yield (
        f"The {len(rows)} that changed or are broken somewhere; {same} more are kept, or show "
        "nothing, on all of these releases. One sign stands for one release, the oldest first, by "
        f"its own contract; since and until are by the contract of {table['by']}."
    )
    yield ""
    yield "| requirement | level | promised | since | until | releases |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        signs = "".join(_sign(cell["verdict"]) for cell in row["cells"])
        since, until = (_bound(row, key) for key in ("since", "until"))
        named = f"`{row['requirement']}` | {row['level']} | {row['promised']}"
        yield f"| {named} | {since} | {until} | `{signs}` |"
    yield ""


def _bound(row: Mapping[str, Any], key: str) -> str:
    """Return the bound of a requirement, with the release before which is not so."""
    version = row[key]
    if version is None:
        return ""
    change = next(each for each in reversed(row["changes"]) if each["in"] == version)
    return f"{version} (not {change['after']})"


def _differences(table: Table) -> Iterator[str]:
    rows = table["differences"]
    yield "## Differences"
    yield ""
    yield from _counted(rows)
    pairs: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for row in rows:
        for pair, seen in _by_pair(row).items():
            pairs.setdefault(pair, []).extend((row["subject"], each) for each in seen)
    versions = [release["version"] for release in table["releases"]]
    for old, new in sorted(pairs, key=lambda pair: versions.index(pair[0])):
        yield f"### {old} to {new}"
        yield ""
        yield "| what | change | impact | of | changelog |"
        yield "| --- | --- | --- | --- | --- |"
        for subject, each in pairs[old, new]:
            told = " -> ".join(_cut(text) for text in (each["before"], each["after"]) if text)
            change = f"{each['change']}: {told}" if told else each["change"]
            cells = (f"`{subject}`", change, each["impact"], _places(each["of"]), _line(each))
            yield f"| {' | '.join(map(_escaped, cells))} |"
        yield ""


def _counted(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen = [each for row in rows for each in row["seen"]]
    numbers = Counter(each["impact"] for each in seen)
    told = ", ".join(f"{numbers[impact]} {impact}" for impact in WORST_FIRST if numbers[impact])
    yield f"{len(seen)} between neighbours{f': {told}' if told else ''}."
    lines = [each["changelog"] for each in seen]
    if any(line is not None for line in lines):
        unknown = f"; of {lines.count(None)} it is not known" if None in lines else ""
        yield f"The changelog says nothing of {lines.count('')} of them{unknown}."
    yield ""


def _line(seen: Mapping[str, Any]) -> str:
    line = seen["changelog"]
    if line is None:
        return "not known"
    return _cut(line) if line else "**not in the changelog**"


def _listed(table: Table) -> Iterator[str]:
    if not table["listed"]:
        return
    yield "## Listed deviations"
    yield ""
    yield "What these releases say of `schemas/expectations.json` (`cc-harness matrix check`)."
    yield ""
    standings = list(dict.fromkeys(each["standing"] for each in table["listed"]))
    for standing in sorted(standings, key=lambda standing: standing != "wrong"):
        members = [each for each in table["listed"] if each["standing"] == standing]
        yield f"### {standing.capitalize()}: {len(members)}"
        yield ""
        for each in members:
            where = f"listed {each['versions']}" if each["versions"] else "not listed there"
            broken = f"; broken on {', '.join(each['broken'])}" if each["broken"] else ""
            yield f"* `{each['requirement']}`: {where}{broken}"
            yield from (f"  * {_escaped(problem)}" for problem in each["problems"])
        yield ""


def _legend() -> Iterator[str]:
    yield "## Signs"
    yield ""
    for verdict, (_, meaning) in SYMBOLS.items():
        yield f"* `{_sign(verdict)}` {verdict}: {meaning}"
    yield ""


def _sign(verdict: str) -> str:
    return SYMBOLS[verdict][0].replace(" ", _BLANK)


def _places(places: Sequence[str]) -> str:
    more = len(places) - _MOST_PLACES
    shown = ", ".join(places[:_MOST_PLACES])
    return f"{shown} and {more} more" if more > 0 else shown


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
