"""Render what a list accepts of the differences between two releases, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from ..drift.accepted import Sorted, name_of
from ..judging.entries import EntryState


def terminal(found: Sorted) -> str:
    """Return the accepted differences as lines of text; empty without a list."""
    return "".join(f"{line}\n" for line in _terminal(found)) if found.listing else ""


def _terminal(found: Sorted) -> Iterator[str]:
    yield ""
    yield f"{found.listing}: {_counted(found)}"
    for each in found.accepted:
        yield f"  accepted: {name_of(each.difference)} ({each.reason})"
    for entry in found.entries:
        if entry.state is not EntryState.SEEN:
            yield f"  {entry.state}: {entry.name} ({entry.why})"


def markdown(found: Sorted) -> str:
    """Return the same as a section of a Markdown page."""
    if not found.listing:
        return ""
    lines = [f"## Accepted: {_cell(found.listing)}", "", f"{_counted(found)}.", ""]
    if found.accepted:
        lines += [
            "| what | change | old | new | accepted because |",
            "| --- | --- | --- | --- | --- |",
        ]
    for each in found.accepted:
        what = each.difference
        cells = (f"`{what.subject}`", what.change, what.old, what.new, each.reason)
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    lines += [""] if found.accepted else []
    others = [entry for entry in found.entries if entry.state is not EntryState.SEEN]
    lines += [f"* {entry.state}: `{entry.name}` ({_cell(entry.why)})" for entry in others]
    return "\n".join([*lines, *([""] if others else [])])


def plain(found: Sorted) -> dict[str, object]:
    """Return the same as what JSON can hold."""
    if not found.listing:
        return {}
    return {
        "accepted": [
            {**asdict(each.difference), "accepted": each.reason} for each in found.accepted
        ],
        "expectations": {
            "file": found.listing,
            "entries": [asdict(entry) for entry in found.entries],
        },
    }


def _counted(found: Sorted) -> str:
    numbers = Counter(entry.state for entry in found.entries)
    accepted = len(found.accepted)
    told = [f"{accepted} difference{'' if accepted == 1 else 's'} accepted"]
    told += [
        f"{numbers[state]} {state}"
        for state in EntryState
        if numbers[state] and state is not EntryState.SEEN
    ]
    return " · ".join(told)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
