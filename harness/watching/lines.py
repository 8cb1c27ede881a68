"""Render entries as lines for a terminal, and all of them together at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..errors import printable
from .entry import Entry

#: The names of items that a line has room for; JSON and the page have all of them.
_MOST_NAMES = 8
_INDENT = " " * 14
_REASONS = 5
_PER_S = 10**9


class Lines:
    """Renders one entry after the other; headers are told again only when they have changed."""

    def __init__(self) -> None:
        self._headers: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}

    def of(self, entry: Entry) -> Iterator[str]:
        """Render an entry: one line, and below it its headers and what is odd."""
        yield printable(" ".join(_columns(entry)).replace("\n", " "))
        kind = (entry.protocol, entry.signal)
        if entry.headers and self._headers.get(kind) != entry.headers:
            self._headers[kind] = entry.headers
            told = " · ".join(f"{name}: {value}" for name, value in entry.headers)
            yield printable(f"{_INDENT}headers  {told}".replace("\n", " "))
        for note in entry.notes:
            yield printable(f"{_INDENT}note     {note}".replace("\n", " "))


def _columns(entry: Entry) -> Iterator[str]:
    moment = datetime.fromtimestamp(entry.arrived_unix_nano // _PER_S)
    yield f"{moment:%H:%M:%S}.{entry.arrived_unix_nano % _PER_S // 10**6:03} "
    yield f"{entry.signal or '(no signal)':7}"
    yield f"{entry.protocol or '(no protocol)':13}"
    yield f"{entry.encoding[:40]:8}"
    compression = "(not told)" if entry.compression is None else entry.compression or "plain"
    yield f"{compression[:12]:10}"
    yield f"{_size(entry.bytes):>8}"
    if entry.rejected:
        yield f" REFUSED with {entry.status} at {entry.path}: {entry.rejected}"
        return
    yield f"{'first' if entry.since_s is None else f'+{entry.since_s:.1f} s':>8} "
    if entry.temporalities:
        yield f"{'+'.join(entry.temporalities)} "
    items = list((entry.items or {}).items())
    named = [name if times == 1 else f"{name} x{times}" for name, times in items[:_MOST_NAMES]]
    if len(items) > _MOST_NAMES:
        named.append(f"and {len(items) - _MOST_NAMES} more names")
    yield ", ".join(named) or "nothing"
    if entry.sources:
        yield f" [{', '.join(entry.sources)}]"


def _size(number: int) -> str:
    return f"{number} B" if number < 1000 else f"{number / 1000:.1f} KB"


class Totals:
    """Counts what arrived, for the end."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._items: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._noted = 0

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        self._noted += bool(entry.notes)
        if entry.rejected:
            self._refused[f"{entry.status}: {entry.rejected}"] += 1
            return
        kind = (entry.signal or "(no signal)", entry.protocol or "(no protocol)")
        self._requests[kind] += 1
        self._items[kind[0]] += sum((entry.items or {}).values())

    def lines(self, missed: int) -> Iterator[str]:
        """Render the summary; ``missed`` requests came too fast to be told."""
        total = self._requests.total()
        refused = self._refused.total()
        yield f"taken    {total} requests, refused {refused}, with something odd {self._noted}"
        for (signal, protocol), number in sorted(self._requests.items()):
            yield f"         {number} of {signal} over {protocol}"
        for signal, number in sorted(self._items.items()):
            yield f"items    {number} of {signal}"
        for reason, number in self._refused.most_common(_REASONS):
            yield printable(f"refused  {number} times with {reason}".replace("\n", " "))
        if missed:
            yield f"missed   {missed} requests, which came faster than they could be told"

    def as_json(self, missed: int) -> dict[str, Any]:
        """Return the summary as JSON's values."""
        return {
            "kind": "summary",
            "taken": [
                {"signal": signal, "protocol": protocol, "requests": number}
                for (signal, protocol), number in sorted(self._requests.items())
            ],
            "items": dict(sorted(self._items.items())),
            "refused": dict(self._refused.most_common()),
            "odd": self._noted,
            "missed": missed,
        }
