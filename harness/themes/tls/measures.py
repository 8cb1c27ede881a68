"""Measure what each collector that speaks TLS got, and the model's API."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import TlsCollectors


def tls(capture: Capture) -> list[Item]:
    """Return one item for each collector that speaks TLS: what it got from the session.

    ``collector`` is its name, ``reached`` whether a connection was opened to it; ``signals``
    counts accepted exports by signal. ``certificates`` are the distinct client certificates of
    these exports; missing if there are none. ``session`` says how the run ended, and how many
    tools ran. A session that asked the model nothing has no item.
    """
    run = capture.run
    collectors = observed(run, TlsCollectors)
    if not run.truth.api_calls or collectors is None:
        return []
    connected = {connection.collector for connection in capture.connections}
    items = []
    for collector in collectors.tls_collectors:
        exports = [export for export in capture.accepted if export.collector == collector]
        view: dict[str, Any] = {
            "collector": collector,
            "reached": collector in connected,
            "signals": dict(Counter(str(export.signal) for export in exports)),
            "session": {"exit_code": run.exit_code, "tools": len(run.truth.tool_runs)},
        }
        if exports:
            view["certificates"] = sorted({export.peer_certificate for export in exports})
        items.append(Item(f"{run.label} · {collector}", view))
    return items


def tls_api(capture: Capture) -> list[Item]:
    """Return one item for the model's API, if that speaks TLS.

    ``asked`` says whether any request reached it; ``certificates`` are the distinct
    client certificates that it was shown, missing if it was asked nothing. A subject that
    opened no connection at all, to a collector neither, and ended with success, did nothing that
    could tell.
    """
    run = capture.run
    collectors = observed(run, TlsCollectors)
    if collectors is None or collectors.api_certificates is None:
        return []
    if not (collectors.api_certificates or capture.connections or run.exit_code):
        return []
    view: dict[str, Any] = {"asked": bool(collectors.api_certificates)}
    if collectors.api_certificates:
        view["certificates"] = sorted(collectors.api_certificates)
    return [Item(f"{run.label} · the model's API", view)]


MEASURES = (tls, tls_api)
