"""Render the names that no document knows: in short for a terminal, whole as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..contract.names import read_names
from ..judging.checks.names import Undocumented
from .line import Line, Style


def render(names: Sequence[Undocumented]) -> Iterator[Line]:
    """Render the number of names and the names; ``record.jsonl`` says where they were sent."""
    if not names:
        return
    yield Line(f"undocumented ({len(names)} names that no document knows, whole in the record)")
    unlisted = [name.name for name in names if not name.since]
    if unlisted:
        yield Line(f"  not listed either: {', '.join(unlisted)}", Style.CARE)
    listed = [f"{name.name} ({name.since})" for name in names if name.since]
    if listed:
        yield Line(f"  since a release: {', '.join(listed)}")


def page() -> str:
    """Return the page of all names that are listed as sent without a document."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Undocumented names"
    yield ""
    yield (
        "What releases were measured to send and no document names. Written by "
        "`python docs/generated.py`; change `schemas/undocumented_names.json`, not this page."
    )
    yield ""
    yield "| name | of | since | until | evidence |"
    yield "| --- | --- | --- | --- | --- |"
    for entry in read_names("undocumented_names.json")["names"]:
        names = ", ".join(f"`{name}`" for name in entry.get("attributes", ()))
        until = entry.get("until", "")
        yield (
            f"| {names or 'the item itself'} | {entry['of']} | {entry['since']} | {until} "
            f"| {entry['evidence']} |"
        )
