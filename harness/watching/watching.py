"""Tell of each request that a collector gets, from its start until it is ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..capture.export import Export
from ..collector.collector import Collector
from ..collector.store import StoreClosedError
from ..otlp.json_encode import encode_json
from .entry import Entry, Watch

#: As long as threads can wait for: nobody watches for longer.
_FOR_GOOD_S = 10.0**8


def watch(collector: Collector, watching: Watch, tell: Callable[[Export, Entry], Any]) -> None:
    """Call ``tell`` with each request, in order, until the collector stops.

    Ctrl-C, or whatever else is raised in this thread, ends it, too.
    """

    def look(export: Export) -> None:
        tell(export, watching.entry(export))

    try:
        collector.wait_for_item(look, _FOR_GOOD_S, "what arrives")
    except StoreClosedError:
        return


def as_line(export: Export) -> bytes | None:
    """Return a request as a Collector's file exporter writes it; None if it was not taken."""
    if not export.counts or export.message is None:
        return None
    return encode_json(export.message) + b"\n"
