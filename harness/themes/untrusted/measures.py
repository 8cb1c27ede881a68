"""Measure what an untrusted project's settings did before anybody trusted it."""

from __future__ import annotations

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import Declined


def declined(capture: Capture) -> list[Item]:
    """Return one item for a session in a project that was not trusted when it asked.

    ``reached`` are the collectors that anything connected to, ``helper_ran`` says whether the
    project's headers helper was run, and ``asked_model`` whether any request reached the API.
    """
    seen = observed(capture.run, Declined)
    if seen is None:
        return []
    connected = {connection.collector for connection in capture.connections}
    view = {
        "reached": sorted({*connected, *(export.collector for export in capture.exports)}),
        "helper_ran": seen.helper_ran,
        "asked_model": seen.asked_model,
    }
    return [Item(f"{capture.run.label} · before trust", view)]


MEASURES = (declined,)
