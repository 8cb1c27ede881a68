"""Tell what leaves a session by which exporter, and which signals a session exports."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...drift.facts import Fact, Topic
from ...exposition import CONSOLE, PROMETHEUS
from .observed import Scrape
from .scenarios import SCENARIOS
from .spellings import DOUBLED

_OURS = frozenset(scenario.name for scenario in SCENARIOS)


def by_exporter(capture: Capture) -> Iterator[Fact]:
    """Yield which signals left the session in which way; ``nothing`` tells of silence."""
    if capture.run.scenario not in _OURS or not capture.run.truth.api_calls:
        return
    ways = {
        f"{export.signal} {_WAYS.get(export.collector, 'to a collector')}"
        for export in capture.accepted
    }
    for way in ways or {"nothing"}:
        yield Fact(Topic.ROUTE, "by exporters", way)


def scraped(capture: Capture) -> Iterator[Fact]:
    """Yield the content type of what is scraped."""
    scrape = observed(capture.run, Scrape)
    if scrape is not None:
        yield Fact(Topic.ROUTE, "content type of a scrape", scrape.content_type or "none")


def doubled(capture: Capture) -> Iterator[Fact]:
    """Yield how often the one session is counted whose exporter of metrics is named twice."""
    if capture.run.scenario != DOUBLED or not capture.run.truth.api_calls:
        return
    counted = sum(float(p.value or 0) for p in capture.data_points("claude_code.session.count"))
    value = {0.0: "not counted", 1.0: "counted once"}.get(counted, "counted more than once")
    yield Fact(Topic.ACCOUNTING, "an exporter of metrics that is named twice", value)


_WAYS = {CONSOLE: "printed", PROMETHEUS: "scraped"}

FACTS = (by_exporter, doubled, scraped)
