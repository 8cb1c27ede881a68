"""Measure how a session that goes on with an earlier one names and orders what it sends."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import DataPoint, Event
from .observed import Resumption


def resumption(capture: Capture) -> list[Item]:
    """Return one item for a run that goes on with an earlier session.

    ``session_id`` says whose id all events and data points carry: that of the ``earlier`` session,
    a ``new`` one, or ``several``; ``first_sequence`` is the lowest ``event.sequence``. What no
    item carries is left out.
    """
    resumed = observed(capture.run, Resumption)
    if resumed is None:
        return []
    view: dict[str, object] = {}
    ids = {
        item.attributes["session.id"] for item in _items(capture) if "session.id" in item.attributes
    }
    if len(ids) == 1:
        view["session_id"] = "earlier" if ids == {resumed.earlier_session} else "new"
    elif ids:
        view["session_id"] = "several"
    sequences = [
        int(str(event.attributes["event.sequence"]))
        for event in capture.events()
        if str(event.attributes.get("event.sequence", "")).isdecimal()
    ]
    if sequences:
        view["first_sequence"] = min(sequences)
    return [Item(f"{capture.run.label} · session", view)] if view else []


def _items(capture: Capture) -> Iterator[Event | DataPoint]:
    yield from capture.events()
    yield from capture.data_points()


MEASURES = (resumption,)
