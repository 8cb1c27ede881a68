"""Measure which compactions were logged, against those that were provoked."""

from __future__ import annotations

from collections import Counter

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...judging.items.measured import compared, integer
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
    where = f"{capture.run.label} · compactions by trigger"
    return compared(where, "trigger", wanted, logged)


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
    items = []
    for event in capture.events("compaction"):
        told = event.attributes
        trigger = str(told.get("trigger"))
        duration_ms, before, after = (
            integer(told.get(key)) for key in ("duration_ms", "pre_tokens", "post_tokens")
        )
        view = {
            "trigger": trigger,
            "succeeded": told.get("success") == "true",
            "no_error": "error" not in told,
            "in_time": max(1, least_ms - 1) <= duration_ms <= most_ms,
            "of_full_context": full <= before <= full * _ABOUT,
            "fewer": 0 < after < before,
            "reuse": str(told.get("precompute_reuse", "")),
        }
        items.append(Item(f"{capture.run.label} · compaction by trigger {trigger}", view))
    return items


MEASURES = (compactions, compactions_told)
