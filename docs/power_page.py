"""Render what became of all lies: docs/power.md, its summary, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.mutants.power import Cell, Result
from harness.mutants.reasons import Entry, Reasons
from harness.mutants.telling import KINDS

Matrices = Mapping[str, Sequence[Cell]]

#: The column of each kind of lie, and what a liar of it does.
TITLES: Mapping[str, tuple[str, str]] = {
    "dropped": ("drop", "leaves the field out"),
    "constant": ("const", "gives every item of a run the value of the first"),
    "swapped": ("swap", "exchanges the values of two items of a run"),
    "shifted": ("shift", "adds one, a tenth, an hour, or takes the next letter"),
    "scaled": ("scale", "sends a thousand times as much"),
    "truncated": ("trunc", "sends half of a text, or a number without its last digits"),
    "other_unit": ("unit", "sends seconds for milliseconds, cents for dollars"),
    "other_type": ("type", "sends a number as a text, a text as a list"),
    "other_case": ("case", "writes upper case for lower case"),
    "other_session": ("session", "takes the values of another session"),
    "other_run": ("run", "takes the values of the same session over another protocol"),
    "misplaced": ("extra", "puts the field where it must be absent; sends the item twice"),
    "both_places": ("both", "tells the same lie wherever the same is said"),
}


@dataclass(frozen=True)
class Miss:
    """A lie that nothing caught: why, or None where nobody says why."""

    subject: str
    field: str
    kind: str
    result: Result
    entry: Entry | None

    @property
    def is_bare(self) -> bool:
        return self.entry is None and not self.result.hidden

    @property
    def mark(self) -> str:
        if self.entry is not None:
            return self.entry.mark
        return "known" if self.result.hidden else "✗"

    def __str__(self) -> str:
        result = self.result
        told = f"{result.extent}{f', {result.variant}' if result.variant else ''}"
        more = f"; silences {len(result.silenced)}" if result.silenced else ""
        return f"{self.subject} · {self.field} · {self.kind} · {told} · {result.scenario}{more}"


def misses(matrices: Matrices, reasons: Reasons) -> Iterator[Miss]:
    for subject, cells in matrices.items():
        for cell in cells:
            for result in cell.missed:
                entry = reasons.of(subject, cell.field, cell.kind, result)
                yield Miss(subject, cell.field, cell.kind, result, entry)


def problems(matrices: Matrices, reasons: Reasons) -> list[str]:
    """Return what must be mended: blanks that nobody explains, explanations of what is caught."""
    found = [
        f"not caught, without a reason: {miss}"
        for miss in misses(matrices, reasons)
        if miss.is_bare
    ]
    missed = explained(matrices, reasons)
    for entry in reasons.entries:
        word = "open" if entry.is_open else "reasons"
        if not missed[entry] and not entry.intermittent:
            found.append(f"power.json: {word} {entry.number} explains no lie: {entry.why}")
            continue
        caught = _told(entry, matrices)
        found += [
            f"power.json: {word} {entry.number} explains {field} {kind}, which is caught"
            for field, kind in sorted(caught - set().union(*missed.values()))
            if not entry.intermittent
        ]
    return found


def _told(entry: Entry, matrices: Matrices) -> set[tuple[str, str]]:
    """Return the fields and kinds of the lies that an entry speaks of."""
    return {
        (cell.field, cell.kind)
        for subject, cells in matrices.items()
        for cell in cells
        if cell.results and entry.covers(subject, cell.field, cell.kind)
    }


def explained(matrices: Matrices, reasons: Reasons) -> dict[Entry, set[tuple[str, str]]]:
    """Return the fields and kinds of the lies that each entry explains."""
    found: dict[Entry, set[tuple[str, str]]] = {entry: set() for entry in reasons.entries}
    for miss in misses(matrices, reasons):
        if miss.entry is not None:
            found[miss.entry].add((miss.field, miss.kind))
    return found


def mended(data: dict[str, Any], matrices: Matrices, reasons: Reasons) -> dict[str, Any]:
    """Return what docs/power.json holds, without what it explains though it is caught.

    Each entry becomes one for each set of kinds that some of its fields have in common.
    """
    kept: dict[str, list[Any]] = {"reasons": [], "open": []}
    for entry, lies in explained(matrices, reasons).items():
        word = "open" if entry.is_open else "reasons"
        if entry.intermittent:
            kept[word].append(data[word][entry.number - 1])
            continue
        kinds: dict[str, list[str]] = defaultdict(list)
        for field, kind in sorted(lies, key=lambda lie: (lie[0], KINDS.index(lie[1]))):
            kinds[field].append(kind)
        fields: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for field, several in kinds.items():
            fields[tuple(several)].append(field)
        kept[word] += [
            {**data[word][entry.number - 1], "fields": names, "kinds": list(several)}
            for several, names in fields.items()
        ]
    return {**data, **kept}


def _status(subject: str, cell: Cell, reasons: Reasons) -> str:
    """Return which column of the summary a cell counts in."""
    marks = {mark[0] for mark in _marks(subject, cell, reasons)}
    if not cell.results and not marks:
        return "no sense"
    if not marks:
        return "caught" if all(result.failing for result in cell.results) else "caught, warned of"
    for mark, status in (("✗", "no reason"), ("?", "open"), ("k", "known"), ("r", "reason")):
        if mark in marks:
            return status
    raise AssertionError(marks)


STATUSES = ("caught", "caught, warned of", "reason", "known", "open", "no reason", "no sense")


def summary(matrices: Matrices, reasons: Reasons) -> str:
    """Return three tables: by subject, by kind, by what has the field."""
    counts: dict[str, dict[str, Counter[str]]] = {
        "subject": defaultdict(Counter),
        "kind": defaultdict(Counter),
        "of": defaultdict(Counter),
    }
    for subject, cells in matrices.items():
        for cell in cells:
            status = _status(subject, cell, reasons)
            counts["subject"][subject][status] += 1
            counts["kind"][cell.kind][status] += 1
            counts["of"][_owner(cell.field)][status] += 1
    lines = []
    for title, rows in counts.items():
        lines += _table(
            (title, *STATUSES),
            [
                (name, *(str(row[status] or "") for status in STATUSES))
                for name, row in rows.items()
            ],
        )
        lines.append("")
    return "\n".join(lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = "|".join("--" for _ in header)
    return [f"| {' | '.join(header)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]


#: The sections that two recordings of one subject agree on.
_SECTIONS = ("## The lies", "## Why some lies are not found", "## Not found yet")


def essence(text: str) -> list[str]:
    """Return what a page says whatever recording it was made of: what is not caught, and why.

    How many lies can be told, who catches each, and whether one of them only by a SHOULD, may
    differ with what happens at the same time in a session.
    """
    found, section = [], ""
    for line in text.splitlines():
        section = line if line.startswith("## ") else section
        if section not in _SECTIONS:
            continue
        cells = line.split("|")
        if section == _SECTIONS[0] and line.startswith("| `"):
            cells[2:] = [" ".join(re.findall(r"[r?]\d+|✗", cell)) for cell in cells[2:]]
        found.append("|".join(cells))
    return found


def _owner(field: str) -> str:
    """Return what has the field, which precedes the field's own name."""
    family, _, rest = field.partition(".")
    if family in ("resource", "requests"):
        return family
    if family == "metrics":
        for name in _METRICS:
            if rest.startswith(f"{name}."):
                return f"metrics.{name}"
    return f"{family}.{rest.partition('.')[0]}"


_METRICS = (
    "every",
    "active_time.total",
    "code_edit_tool.decision",
    "commit.count",
    "cost.usage",
    "lines_of_code.count",
    "pull_request.count",
    "session.count",
    "token.usage",
)
_PREAMBLE = """# What the judge catches

Written by `tox -e power` (`python docs/power.py`); do not edit. Every field of the contract is
lied about in every way that makes sense for it, in recordings of {subjects}, and each lie is
judged. A lie is told in one scenario at a time, over each protocol alike; most kinds are told once
about a single item and once about every item, in two scenarios each.

| mark | meaning |
|--|--|
| ● | every such lie fails the run |
| ○ | every such lie is found, some only by a SHOULD, which leaves the exit code as it is |
| ◐ | some such lies are found, and others are not, for the reason beside it |
| r1 | not found, for this reason: see below |
| known | not found, because a listed deviation of the release fails already and hides it |
| ?1 | not found yet: a sharper check is missing, see below |
| ✗ | not found, and nobody says why |
| – a | there is no such lie; the letter says why |
"""


def rendered(matrices: Matrices, reasons: Reasons) -> str:
    """Return the page."""
    cells: dict[tuple[str, str], dict[str, Cell]] = defaultdict(dict)
    for subject, several in matrices.items():
        for cell in several:
            cells[cell.field, cell.kind][subject] = cell
    letters = _letters(matrices)
    lines = [_PREAMBLE.format(subjects=", ".join(f"`{subject}`" for subject in matrices))]
    lines += _table(
        ("kind", "a liar of this kind"),
        [
            (f"`{kind}` ({title})" if title != kind else kind, what)
            for kind, (title, what) in TITLES.items()
        ],
    )
    lines += ["", "## Counts", "", "A cell is one field and one kind, in one recording.", ""]
    lines += [summary(matrices, reasons)]
    fields: dict[str, list[str]] = defaultdict(list)
    for field, _ in cells:
        if field not in fields[_owner(field)]:
            fields[_owner(field)].append(field)
    lines += ["## The lies"]
    for owner, members in sorted(fields.items()):
        lines += ["", f"### {owner}", ""]
        lines += _table(
            ("field", *(TITLES[kind][0] for kind in KINDS)),
            [
                (
                    f"`{field.removeprefix(owner + '.')}`",
                    *(_mark(cells[field, kind], reasons, letters) for kind in KINDS),
                )
                for field in members
            ],
        )
    lines += ["", "## Why there is no such lie", ""]
    lines += _table(("", "because"), [(letter, why) for why, letter in letters.items()])
    for is_open, title in ((False, "Why some lies are not found"), (True, "Not found yet")):
        lines += ["", f"## {title}", ""]
        lines += _table(
            ("", "fields", "kinds", "because"),
            [
                (
                    f"{'?' if is_open else 'r'}{entry.number}",
                    ", ".join(f"`{field}`" for field in entry.fields),
                    ", ".join(entry.kinds),
                    entry.why,
                )
                for entry in reasons.entries
                if entry.is_open is is_open
            ],
        )
    lines += [
        "",
        "## Who finds them",
        "",
        "<details><summary>For each field, the requirements that lies about it break</summary>",
        "",
    ]
    lines += _table(
        ("field", "requirements (the kinds that one alone finds)"), list(_catchers(cells))
    )
    lines += ["", "</details>", ""]
    return "\n".join(lines)


def _letters(matrices: Matrices) -> dict[str, str]:
    whys = sorted({cell.why_not for cells in matrices.values() for cell in cells if cell.why_not})
    return {why: chr(ord("a") + number) for number, why in enumerate(whys)}


def _mark(cells: Mapping[str, Cell], reasons: Reasons, letters: Mapping[str, str]) -> str:
    results = [result for cell in cells.values() for result in cell.results]
    marks = {mark for subject, cell in cells.items() for mark in _marks(subject, cell, reasons)}
    if not results and not marks:
        return "– " + " ".join(sorted({letters[cell.why_not] for cell in cells.values()}))
    if not marks:
        return "●" if all(result.failing for result in results) else "○"
    chance = any(
        entry.intermittent and entry.covers(subject, cell.field, cell.kind)
        for entry in reasons.entries
        for subject, cell in cells.items()
    )
    part = "◐ " if chance or any(result.caught for result in results) else ""
    return part + " ".join(sorted(marks))


def _marks(subject: str, cell: Cell, reasons: Reasons) -> set[str]:
    """Return the marks of what is not caught, or is so by chance only."""
    field, kind = cell.field, cell.kind
    marks = {
        Miss(subject, field, kind, result, reasons.of(subject, field, kind, result)).mark
        for result in cell.missed
    }
    for entry in reasons.entries:
        if entry.intermittent and entry.covers(subject, field, kind):
            marks.add(entry.mark)
    return marks


def _catchers(cells: Mapping[tuple[str, str], Mapping[str, Cell]]) -> Iterator[tuple[str, str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for (field, _), by_subject in cells.items():
        for cell in by_subject.values():
            for result in cell.results:
                for name in (result.failing or result.warning)[:1]:
                    found[field][name] = None
    for field, names in found.items():
        yield f"`{field}`", ", ".join(f"`{name}`" for name in names)
