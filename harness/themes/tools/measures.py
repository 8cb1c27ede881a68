"""Measure which changes of the permission mode were logged, against what the screen showed."""

from __future__ import annotations

from itertools import pairwise

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Event
from .observed import Switched


def modes_changed(capture: Capture) -> list[Item]:
    """Return one item for a session whose mode a person changed: how that was logged.

    ``missing``: no event leads to the mode that the screen showed; ``elsewhere``: the first one
    does not lead away from the mode before; ``unchained`` are events that do not begin where the
    one before ended, ``idle`` those without a change. A key that seemed lost is pressed again, so
    nobody knows how many changes there were.
    """
    switched = observed(capture.run, Switched)
    if switched is None or not capture.run.truth.api_calls:
        return []
    events = sorted(capture.events("permission_mode_changed"), key=_sequence)
    modes = [
        (event.attributes.get("from_mode"), event.attributes.get("to_mode")) for event in events
    ]
    return [
        Item(
            f"{capture.run.label} · permission modes",
            {
                "missing": int(switched.after not in [after for _, after in modes]),
                "elsewhere": int(bool(modes) and modes[0][0] != switched.before),
                "unchained": sum(one[1] != two[0] for one, two in pairwise(modes)),
                "idle": sum(before == after for before, after in modes),
            },
        )
    ]


def _sequence(event: Event) -> int:
    number = event.attributes.get("event.sequence")
    return number if isinstance(number, int) else -1


MEASURES = (modes_changed,)
