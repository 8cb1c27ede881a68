"""Tell where the first of the items is that are not as they should be, and in what they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ...otlp.model import DataPoint, Event
from .facets import Kind, Telemetry
from .matching import Pair
from .placeholders import plain

#: So many different changes of one kind are told.
_MOST = 3


def spot(item: Telemetry) -> str:
    """Tell which item it is, by what a reader can look up: session, number and time."""
    facts = []
    if "session.id" in item.attributes:
        facts.append(_attribute(item, "session.id", "session"))
    if isinstance(item, DataPoint):
        facts.append(f"time {_time(item.time_unix_nano)}")
        words = [_attribute(item, key, key) for key in _TELLING if key in item.attributes]
        return ", ".join([*facts, *words])
    if isinstance(item, Event):
        if "event.sequence" in item.attributes:
            facts.append(_attribute(item, "event.sequence", "sequence"))
        return ", ".join([*facts, f"time {_time(item.time_unix_nano)}"])
    return ", ".join([*facts, f"span {item.span_id}", f"time {_time(item.start_time_unix_nano)}"])


def _attribute(item: Telemetry, key: str, word: str) -> str:
    value = item.attributes[key]
    return f"{word} {value if isinstance(value, str) else plain(value)}"


#: What tells two points of one metric and time from each other.
_TELLING = ("type", "model", "tool_name", "decision")


def first_of(items: Sequence[Telemetry], total: int, what: str) -> str:
    """Tell how many of all items this is about, and which is the first; nothing of none."""
    if not items:
        return ""
    return f"{len(items)} of {total} {what}; the first: {spot(items[0])}"


def changes_of(kind: Kind, pairs: Sequence[Pair], compared: int) -> str:
    """Tell what changes of a kind there are, those of one field together."""
    by_path: dict[str, list[tuple[Pair, str]]] = {}
    for pair in pairs:
        for difference in pair.differences:
            if difference.kind is kind:
                by_path.setdefault(difference.path, []).append((pair, str(difference)))
    told = [
        f"{len(found)} of {compared}: {found[0][1]}; the first: {spot(found[0][0].expected.item)}"
        for found in list(by_path.values())[:_MOST]
    ]
    if len(by_path) > _MOST:
        told.append(f"and {len(by_path) - _MOST} more fields")
    return "; ".join(told)


def _time(unix_nano: int) -> str:
    try:
        moment = datetime.fromtimestamp(unix_nano // 10**9, UTC)
    except (ValueError, OverflowError, OSError):
        return str(unix_nano)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_nano % 10**9 // 10**6:03}Z"
