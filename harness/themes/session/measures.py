"""Measure the session as a whole."""

from __future__ import annotations

from collections import Counter

from ...capture.capture import Capture
from ...judging.items.item import Item
from ..ending import ended


def session(capture: Capture) -> list[Item]:
    """Return one item for each run: what the session did, and what it sent where.

    ``asked`` counts the requests that the Messages API answered; ``exports`` and ``connections``
    are counted by collector, ``signals`` (accepted exports) by signal; ``observed`` is what the
    scenario observed besides telemetry.
    """
    run = capture.run
    view = {
        **ended(run),
        "prompts": len(run.truth.prompts),
        "tools": len(run.truth.tool_runs),
        "stdout": run.stdout,
        "stderr": run.stderr,
        "exports": dict(Counter(export.collector for export in capture.exports)),
        "signals": dict(Counter(str(export.signal) for export in capture.accepted)),
        "connections": dict(Counter(connection.collector for connection in capture.connections)),
        "observed": run.observed,
    }
    return [Item(f"{run.label} · session", view)]


MEASURES = (session,)
