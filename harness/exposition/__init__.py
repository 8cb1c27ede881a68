"""Convert telemetry that is printed to the console or served to a scraper to exports.

Those are export requests like any other, so that the same checks judge them. What was printed or
served comes in as text: nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..capture.export import Export
from ..otlp.model import Signal

#: The collectors that such exports name: nobody received them.
CONSOLE = "console"
PROMETHEUS = "prometheus"
#: What a collector under test serves to be scraped, and what it writes to a remote Prometheus.
SCRAPE = "scrape"
WRITE = "write"

_OF_PROMETHEUS = frozenset(
    {("temporality",), ("unit",), ("start_time_unix_nano",), ("time_unix_nano",)}
)

#: Fields of an item that cannot be judged, for the exposition does not tell them.
UNSEEN: Mapping[str, frozenset[tuple[str, ...]]] = {
    # Whether sums are deltas can only be concluded, from their starts.
    CONSOLE: frozenset({("temporality",), ("observed_time_unix_nano",)}),
    PROMETHEUS: _OF_PROMETHEUS,
    SCRAPE: _OF_PROMETHEUS,
    WRITE: _OF_PROMETHEUS,
}


class ExpositionError(ValueError):
    """A text that is not in the expected format; the message says where and why."""


def exposed(
    collector: str,
    signal: Signal | None,
    body: bytes,
    place: str,
    unix_nano: int,
    number: int,
    rejected: str = "",
) -> Export:
    """Make an export in OTLP/JSON of what was shown at ``place``.

    It has no protocol and no method, because it was not sent. ``rejected`` says why it cannot be
    read.
    """
    return Export(
        sequence=number,
        protocol=None,
        signal=signal,
        method="",
        path=place,
        http_version="",
        headers=(),
        body=body,
        arrived_unix_nano=unix_nano,
        peer="",
        status=200,
        collector=collector,
        rejected=rejected,
    )


def is_exposed(export: Export) -> bool:
    """Return whether an export was shown (printed or served) rather than sent."""
    return export.collector in UNSEEN and not export.method


def numbered(exports: list[Export], *, after: int) -> list[Export]:
    """Return copies of the exports, numbered from ``after`` + 1 on."""
    return [replace(export, sequence=n) for n, export in enumerate(exports, start=after + 1)]
