"""Describe exports in words, for messages about what arrived."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..otlp.model import Attributes, Signal, Value
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


#: Items that a message shows beside the one that was wanted.
MOST_MISSES = 3

_ABSENT = object()


def has(attributes: Attributes, wanted: Mapping[str, Value]) -> bool:
    """Return whether all ``wanted`` attributes are there, compared as Python does."""
    return all(attributes.get(key, _ABSENT) == value for key, value in wanted.items())


def misses(items: Iterable[Attributes], wanted: Mapping[str, Value]) -> tuple[str, ...]:
    """Say what is wrong with the items that are most like what was wanted, the best first.

    ``items`` are the attributes of each; what several have in common is said once.
    """
    told: dict[str, int] = {}
    for attributes in items:
        wrong = [
            f"{key} is {attributes[key]!r}, not {value!r}"
            if key in attributes
            else f"no {key}; it has {', '.join(attributes) or 'no attribute'}"
            for key, value in wanted.items()
            if attributes.get(key, _ABSENT) != value
        ]
        told.setdefault("; ".join(wrong), len(wrong))
    return tuple(sorted(told, key=lambda text: told[text])[:MOST_MISSES])


def with_attributes(what: str, wanted: Mapping[str, Value]) -> str:
    """Name what is looked for, with the attributes that it must have."""
    named = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    return f"{what} with {named}" if named else what
