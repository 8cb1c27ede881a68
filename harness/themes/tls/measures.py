"""What each collector of a run that speaks TLS got: one item for each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.capture.capture import Capture
from harness.capture.observed import observed
from harness.judging.items.item import Item
from harness.themes.tls.observed import TlsCollectors


def tls(capture: Capture) -> list[Item]:
    """What each collector got from a session that worked.

    ``collector`` is its name, ``reached`` says whether a connection was opened to it,
    ``signals`` counts accepted exports by signal.  ``certificates`` are those that the
    clients of these showed, without repetition; missing where nothing came in.
    ``session`` tells how the run ended, and how much of its work was done.
    """
    run = capture.run
    collectors = observed(run, TlsCollectors)
    if not run.truth.api_calls or collectors is None:
        return []
    connected = {each.collector for each in capture.connections}
    items = []
    for collector in collectors.tls_collectors:
        exports = [each for each in capture.accepted if each.collector == collector]
        view: dict[str, Any] = {
            "collector": collector,
            "reached": collector in connected,
            "signals": dict(Counter(str(each.signal) for each in exports)),
            "session": {"exit_code": run.exit_code, "tools": len(run.truth.tool_runs)},
        }
        if exports:
            view["certificates"] = sorted({each.peer_certificate for each in exports})
        items.append(Item(f"{run.label} · {collector}", view))
    return items


MEASURES = (tls,)
