"""Render what a list accepts of the differences between two releases, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.drift.accepted import Listed, name_of
from harness.judging.entries import EntryState
from harness.report.line import Line, Style


def lines(listed: Listed) -> Iterator[Line]:
    """Yield what was accepted, and what became of the list, as lines of text; none without one."""
    if not listed.listing:
        return
    yield Line()
    yield Line(f"{listed.listing}: {_counted(listed)}")
    for each in listed.accepted:
        yield Line(f"  accepted: {name_of(each.difference)} ({each.reason})")
    for entry in listed.entries:
        if entry.state is not EntryState.SEEN:
            yield Line(f"  {entry.state}: {entry.name} ({entry.why})", Style.CARE)


def markdown(listed: Listed) -> Iterator[str]:
    """Yield the same as the lines of a section of a Markdown page."""
    if not listed.listing:
        return
    yield from (f"## Accepted: {_cell(listed.listing)}", "", f"{_counted(listed)}.", "")
    if listed.accepted:
        yield "| what | change | old | new | accepted because |"
        yield "|" + " --- |" * 5
        for each in listed.accepted:
            what = each.difference
            cells = (f"`{what.subject}`", what.change, what.old, what.new, each.reason)
            yield f"| {' | '.join(map(_cell, cells))} |"
        yield ""
    others = [entry for entry in listed.entries if entry.state is not EntryState.SEEN]
    yield from (f"* {entry.state}: `{entry.name}` ({_cell(entry.why)})" for entry in others)
    if others:
        yield ""


def _counted(listed: Listed) -> str:
    numbers = Counter(entry.state for entry in listed.entries)
    accepted = len(listed.accepted)
    told = [f"{accepted} difference{'' if accepted == 1 else 's'} accepted"]
    told += [
        f"{numbers[state]} {state}"
        for state in EntryState
        if numbers[state] and state is not EntryState.SEEN
    ]
    return " · ".join(told)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
