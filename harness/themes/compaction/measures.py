"""Measure which compactions were logged, against those that were provoked."""

from __future__ import annotations

from collections import Counter

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Event
from .observed import Provoked

#: Tokens of a context are counted approximately.
_ABOUT = 1.1


def compactions(capture: Capture) -> list[Item]:
    """Return one item for each trigger: compactions without an event, and events without one."""
    provoked = observed(capture.run, Provoked)
    if provoked is None or not capture.run.truth.api_calls:
        return []
    logged = Counter(str(event.attributes.get("trigger")) for event in capture.events("compaction"))
    wanted = Counter(provoked.by_trigger)
    return [
        Item(
            f"{capture.run.label} · compactions by trigger {trigger}",
            {
                "trigger": trigger,
                "missing": max(0, wanted[trigger] - logged[trigger]),
                "extra": max(0, logged[trigger] - wanted[trigger]),
            },
        )
        for trigger in sorted(wanted | logged)
    ]


def compactions_told(capture: Capture) -> list[Item]:
    """Return one item for each event of a compaction: what it tells rightly.

    ``in_time``: it took no less than the quickest answer of the API, and no longer than the
    session. ``of_full_context``: before it, the context had about as many tokens as were billed
    for the answer that filled it.
    """
    provoked = observed(capture.run, Provoked)
    calls = capture.run.truth.api_calls
    if provoked is None or not calls:
        return []
    least_ms = min(call.answered_unix_nano - call.arrived_unix_nano for call in calls) / 1e6
    most_ms = (capture.run.ended_unix_nano - capture.run.started_unix_nano) / 1e6
    full = provoked.full_tokens
    return [
        Item(
            f"{capture.run.label} · compaction by trigger {event.attributes.get('trigger')!s}",
            {
                "trigger": str(event.attributes.get("trigger")),
                "succeeded": event.attributes.get("success") == "true",
                "no_error": "error" not in event.attributes,
                "in_time": max(1, least_ms - 1) <= _number(event, "duration_ms") <= most_ms,
                "of_full_context": full <= _number(event, "pre_tokens") <= full * _ABOUT,
                "fewer": 0 < _number(event, "post_tokens") < _number(event, "pre_tokens"),
                "reuse": str(event.attributes.get("precompute_reuse", "")),
            },
        )
        for event in capture.events("compaction")
    ]


def _number(event: Event, key: str) -> int:
    """Return a number, also one that is sent as a text; -1 for anything else."""
    try:
        return int(str(event.attributes.get(key)))
    except ValueError:
        return -1


MEASURES = (compactions, compactions_told)
