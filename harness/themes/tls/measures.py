"""What came through the TLS doors of a run: one item for each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.capture.capture import Capture
from harness.capture.observed import observed
from harness.judging.items.item import Item
from harness.themes.tls.observed import Doors


def tls(capture: Capture) -> list[Item]:
    """What each door of a session that worked let in.

    ``door`` is its name, ``reached`` says whether a connection was opened to it,
    ``signals`` counts accepted exports by signal.  ``certificates`` are those that the
    clients of these showed, without repetition; missing where nothing came in.
    ``session`` tells how the run ended, and how much of its work was done.
    """
    run = capture.run
    doors = observed(run, Doors)
    if not run.truth.api_calls or doors is None:
        return []
    knocked = {each.collector for each in capture.connections}
    items = []
    for door in doors.tls_doors:
        exports = [each for each in capture.accepted if each.collector == door]
        view: dict[str, Any] = {
            "door": door,
            "reached": door in knocked,
            "signals": dict(Counter(str(each.signal) for each in exports)),
            "session": {"exit_code": run.exit_code, "tools": len(run.truth.tool_runs)},
        }
        if exports:
            view["certificates"] = sorted({each.peer_certificate for each in exports})
        items.append(Item(f"{run.label} · {door}", view))
    return items


MEASURES = (tls,)
