"""Checks of OpenTelemetry's data model: what it demands of streams of data points."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.item import Item
from ..items.view import CaptureView
from .fields import chosen, nothing_seen

_Stream = tuple[str, str]


def times_ordered(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that each data point has a start time and a time that is not before it."""
    items = [item for item in chosen(requirement, view) if ("time_unix_nano",) not in item.unseen]
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(
            "0 < start <= time",
            f"start {item.view['start_time_unix_nano']}, time {item.view['time_unix_nano']}",
            item.where,
        )
        for item in items
        if not 0 < item.view["start_time_unix_nano"] <= item.view["time_unix_nano"]
    )
    return Judged(len(items), findings)


def unique_keys(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that no attribute key is repeated within a resource, scope, data point or event."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding("each key once", f"{', '.join(item.view['repeated'])} more than once", item.where)
        for item in items
        if item.view["repeated"]
    )
    return Judged(len(items), findings)


def one_point_per_stream(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that a request holds at most one data point of each stream."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    points = Counter((item.view["export"], *_stream(item)) for item in items)
    findings = tuple(
        Finding(
            "one data point",
            f"{times} of {name} with {attributes}",
            f"{view.run.label} · metrics export {export}",
        )
        for (export, name, attributes), times in points.items()
        if times > 1
    )
    return Judged(len(items), findings)


def windows_apart(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the time windows of a delta stream do not overlap, so nothing is counted twice."""

    def wrong(earlier: Item, later: Item) -> bool:
        return bool(later.view["start_time_unix_nano"] < earlier.view["time_unix_nano"])

    return _successive(
        requirement, view, "delta", wrong, "a start that is not before the last point's time"
    )


def never_falls(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that a cumulative stream keeps its start time, and that its value never falls."""

    def wrong(earlier: Item, later: Item) -> bool:
        return bool(
            later.view["start_time_unix_nano"] != earlier.view["start_time_unix_nano"]
            or (later.view["value"] or 0) < (earlier.view["value"] or 0)
        )

    return _successive(
        requirement, view, "cumulative", wrong, "the same start and no smaller value"
    )


def _successive(
    requirement: Requirement, view: CaptureView, temporality: str, wrong: object, wanted: str
) -> Outcome:
    assert callable(wrong)
    pairs = list(_pairs(chosen(requirement, view), temporality))
    if not pairs:
        return NotExercised(f"no {temporality} stream was exported twice")
    findings = tuple(
        Finding(
            f"{wanted} (start {earlier.view['start_time_unix_nano']}, time "
            f"{earlier.view['time_unix_nano']}, value {earlier.view['value']} before)",
            f"start {later.view['start_time_unix_nano']}, value {later.view['value']}",
            later.where,
        )
        for earlier, later in pairs
        if wrong(earlier, later)
    )
    return Judged(len(pairs), findings)


def _pairs(items: list[Item], temporality: str) -> Iterator[tuple[Item, Item]]:
    """Yield each two successive data points of every stream, in order of time."""
    streams: dict[_Stream, list[Item]] = defaultdict(list)
    for item in items:
        if item.view["temporality"] == temporality:
            streams[_stream(item)].append(item)
    for members in streams.values():
        yield from pairwise(sorted(members, key=lambda item: item.view["time_unix_nano"]))


def _stream(item: Item) -> _Stream:
    return str(item.view["name"]), str(sorted(item.view["attributes"].items()))
