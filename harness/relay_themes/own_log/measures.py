"""Measure what a collector's own log tells of lost data."""

from __future__ import annotations

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import LOSSES, OwnLog


def own_log(capture: Capture) -> list[Item]:
    """Return one item for each kind of loss that a log tells of: how often this one did.

    None for a collector that printed nothing, or whose log is not ours to read.
    """
    log = observed(capture.run, OwnLog)
    if log is None or not log.lines:
        return []
    items = []
    for kind in LOSSES:
        told = log.told.get(kind)
        times = told.times if told else 0
        quoted = f"{times} of {log.lines} lines, the first: {told.first}" if told else ""
        items.append(
            Item(
                " · ".join(filter(None, (capture.run.label, "the collector’s log", quoted))),
                {"kind": kind, "times": times},
            )
        )
    return items


MEASURES = (own_log,)
