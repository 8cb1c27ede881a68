"""Describe exports in words, for messages about what arrived."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence

from ..otlp.model import Signal
from .export import Export
from .names import event_name, short

#: How many exports, and how many names of one export, a message lists.
MOST_EXPORTS = 40
MOST_NAMES = 12

_ITEMS = {Signal.METRICS: "data points", Signal.LOGS: "events", Signal.TRACES: "spans"}


def item_names(export: Export) -> tuple[str, ...]:
    """Return the name of each data point's metric, of each event or span, in order."""
    return (
        *(point.metric.name for point in export.data_points),
        *(event_name(event) or "(no name)" for event in export.events),
        *(span.name for span in export.spans),
    )


def describe(export: Export) -> str:
    """Describe an export in one line: its transport facts, and its items or why it has none."""
    facts = [
        str(export.protocol or "no protocol"),
        str(export.signal or "no signal"),
        *(part for part in (export.method, export.path) if part),
        f"status {export.status}",
    ]
    line = f"export {export.sequence}: " + " ".join(facts)
    if export.rejected:
        return f"{line}: rejected: {export.rejected}"
    if export.decode_error is not None:
        return f"{line}: cannot be decoded: {export.decode_error}"
    names = Counter(item_names(export))
    kind = _ITEMS[export.signal] if export.signal else "items"
    listed = ", ".join(
        name if times == 1 else f"{name} x{times}"
        for name, times in list(names.items())[:MOST_NAMES]
    )
    more = f", and {len(names) - MOST_NAMES} more names" if len(names) > MOST_NAMES else ""
    return f"{line}: {names.total()} {kind}" + (f": {listed}{more}" if names else "")


def describe_all(exports: Sequence[Export], forgotten: int = 0) -> str:
    """Describe each export in a line (the last ones if there are many); say so if there is none."""
    lines = []
    if forgotten:
        lines.append(f"{forgotten} older exports were forgotten: the memory limit was reached")
    if not exports:
        return "\n".join([*lines, "no export was seen"])
    if len(exports) > MOST_EXPORTS:
        lines.append(f"{len(exports)} exports, the last {MOST_EXPORTS}:")
    lines += [describe(export) for export in exports[-MOST_EXPORTS:]]
    return "\n".join(lines)


def nearest(name: str, seen: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of the ``seen`` names that are most like ``name``, best first."""
    shortened = {short(other): other for other in seen}
    close = difflib.get_close_matches(short(name), list(shortened), n=3, cutoff=0.6)
    return tuple(shortened[match] for match in close)
