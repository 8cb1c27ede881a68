"""Checks within one run: events for what happened, their order, and identity."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import Item
from ..items.view import CaptureView, refusal
from .fields import carrying, chosen, nothing_seen
from .truth import OCCASIONS


def exported(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that at least one item was exported if the occasion ``params.when`` came about."""
    occasion = str(requirement.params["when"])
    count = OCCASIONS[occasion](view.truth)
    items = view.select(requirement.selects)
    if count == 0:
        return NotExercised(f"the run saw no {occasion.split(' ', 1)[1]}")
    if items:
        return Judged(len(items))
    refused = [export for export in view.capture.exports if export.rejected]
    arrived = f"no {requirement.selects} in {len(view.capture.exports)} exports"
    if refused:
        arrived += f", of which {len(refused)} were refused (first: {refusal(refused[0])})"
    return Judged(
        1,
        (
            Finding(
                f"{requirement.selects} after {occasion} ({count} seen)", arrived, view.run.label
            ),
        ),
    )


def increasing(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field rises strictly with the time of the events, in each session.

    Events of the same millisecond may have any order, but different numbers.
    """
    sessions: defaultdict[str, list[Item]] = defaultdict(list)
    for item in chosen(requirement, view):
        if type(item.at(requirement.path)) is int:
            sessions[shown(item.at(("attributes", "session.id")))].append(item)
    findings = []
    looked_at = 0
    for items in sessions.values():
        ordered = sorted(items, key=lambda item: item.at(requirement.path))
        looked_at += len(ordered)
        for earlier, later in pairwise(ordered):
            low, high = earlier.at(requirement.path), later.at(requirement.path)
            if low == high:
                findings.append(
                    Finding("each number once in a session", f"{low} twice", later.where)
                )
            elif earlier.time_unix_nano > later.time_unix_nano:
                findings.append(
                    Finding(
                        "a later event has a higher number",
                        f"{high} is earlier than {low}",
                        later.where,
                    )
                )
    if not looked_at:
        return nothing_seen(requirement, chosen(requirement, view))
    return Judged(looked_at, tuple(findings))


def without_gaps(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the numbers in the field have no gaps, in each session."""
    sessions: defaultdict[str, list[int]] = defaultdict(list)
    for item in chosen(requirement, view):
        if type(number := item.at(requirement.path)) is int:
            sessions[shown(item.at(("attributes", "session.id")))].append(number)
    if not sessions:
        return nothing_seen(requirement, chosen(requirement, view))
    findings = tuple(
        Finding(
            f"every number from {min(numbers)} to {max(numbers)}",
            f"no {', no '.join(map(str, sorted(missing)[:5]))}",
            f"{view.run.label} · {requirement.selects}",
        )
        for numbers in sessions.values()
        if (missing := set(range(min(numbers), max(numbers))) - set(numbers))
    )
    return Judged(sum(map(len, sessions.values())), findings)


def constant(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field has the same value on every selected item that has it."""
    having = carrying(requirement, view)
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    first, same = having[0]
    findings = tuple(
        Finding(f"the same as at {first.where}: {shown(same)}", shown(value), item.where)
        for item, value in having[1:]
        if value != same
    )
    return Judged(len(having), findings)


def subject_version(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field equals the version that the subject's ``--version`` printed."""
    having = carrying(requirement, view)
    if not having:
        return nothing_seen(requirement, chosen(requirement, view))
    version = view.run.subject.version
    findings = tuple(
        Finding(f"{version!r}, as --version says", shown(value), item.where)
        for item, value in having
        if value != version
    )
    return Judged(len(having), findings)


def same_instant(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that the field, an ISO 8601 time, is the record's own time.

    They may differ by ``params.tolerance_ms``: the CLI reads its clock once for each.
    """
    tolerance_ms = float(str(requirement.params["tolerance_ms"]))
    items = [
        (item, found)
        for item in chosen(requirement, view)
        if (found := instant(item.at(requirement.path))) is not None
    ]
    if not items:
        return nothing_seen(requirement, chosen(requirement, view))
    findings = tuple(
        Finding(
            f"{_milliseconds(item)} ms since 1970, the record's time, ± {tolerance_ms:g} ms",
            shown(item.at(requirement.path)),
            item.where,
        )
        for item, found in items
        if abs(found - _milliseconds(item)) > tolerance_ms
    )
    return Judged(len(items), findings)


def _milliseconds(item: Item) -> int:
    return int(item.view["time_unix_nano"]) // 1_000_000


def instant(value: Any) -> int | None:
    """Return an ISO 8601 time in milliseconds since the epoch; None without a time zone."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if time.tzinfo is None:
        return None
    elapsed = time - datetime(1970, 1, 1, tzinfo=UTC)
    return elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000
