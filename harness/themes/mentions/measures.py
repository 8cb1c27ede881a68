"""Measure which mentions of a prompt were logged."""

from __future__ import annotations

from collections import Counter

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...judging.items.measured import compared
from .observed import Mentioned


def mentions(capture: Capture) -> list[Item]:
    """Return one item for each type of mention: those in the prompt against those logged.

    Only mentions of what exists are compared with those that are logged as resolved. ``missing``
    are mentions without an event, ``extra`` events without a mention. A session that asked the
    model nothing has no item.
    """
    mentioned = observed(capture.run, Mentioned)
    if mentioned is None or not capture.run.truth.api_calls:
        return []
    logged = Counter(
        str(event.attributes.get("mention_type"))
        for event in capture.events("at_mention")
        if event.attributes.get("success") == "true"
    )
    where = f"{capture.run.label} · mentions of type"
    return compared(where, "mention_type", Counter(mentioned.there), logged)


MEASURES = (mentions,)
