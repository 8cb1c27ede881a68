"""What a finding advises helps: the pipeline fails and says why, and does not with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.findings import Verdict
from tests.collectors import recordings
from tests.collectors.judging import PASSING, findings, pipeline, verdict
from tests.collectors.recordings import Edit
from tests.collectors.shapes import SHAPES

if TYPE_CHECKING:
    from tests.collectors.conftest import Judge

SCRAPE, WRITE = "series.total.scrape", "series.total.write"
Sent = Callable[[int], Edit]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to lose data: what is advised in findings about ``requirement``, and done about it.

    ``sent`` are the sessions, if not those that are sent by default.
    """

    pipeline: str
    advice: str
    remedy: str
    requirement: str = SCRAPE
    sent: Sent | None = None
    sent_then: Sent | None = None


WAYS = {
    "deltas with gaps": Way("scrape", "add `deltatocumulative`", "scrape_cumulative"),
    "deltas with gaps, mended in the CLI": Way(
        "scrape",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative",
        "scrape",
        sent_then=recordings.cumulative,
    ),
    "deltas dropped": Way(
        "remote_write", "add `deltatocumulative`", "remote_write_cumulative", WRITE
    ),
    "deltas dropped, mended in the CLI": Way(
        "remote_write",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative",
        "remote_write",
        WRITE,
        sent_then=recordings.cumulative,
    ),
    "refused": Way("logs_only", "give it a metrics pipeline", "scrape_cumulative"),
    "sessions in one series": Way("equal_series", "keep `session.id`", "scrape_cumulative"),
    "several writers in one series": Way(
        "scrape_cumulative",
        "OTEL_METRICS_INCLUDE_SESSION_ID=true",
        "scrape_cumulative",
        sent=recordings.without_session_id,
    ),
    "several writers, told apart by their resource": Way(
        "scrape_cumulative",
        "its own `service.instance.id`",
        "scrape_cumulative",
        sent=recordings.without_session_id,
        sent_then=recordings.with_instance_id,
    ),
    "attributes removed": Way("type_removed", "`aggregate_on_attributes`", "type_aggregated"),
    "counted twice": Way("counted_twice", "several pipelines into one", "scrape_cumulative"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_what_is_advised_helps(way: Way, judge: Judge, otelcol: Path, tmp_path: Path) -> None:
    def options(name: str, sent: Sent | None) -> tuple[str, ...]:
        chosen = (*pipeline(otelcol, SHAPES[name].config, SHAPES[name].changes), *PASSING)
        if sent is None:
            return chosen
        folder = recordings.kept(tmp_path / f"sent-{sent.__name__}", sent)
        return (*chosen, f"--cc-collector-recording={folder}")

    before = findings(judge(*options(way.pipeline, way.sent)), way.requirement)
    assert any(way.advice in finding.where for finding in before), before
    after = judge(*options(way.remedy, way.sent_then))
    assert verdict(after, way.requirement) is Verdict.PASS, findings(after, way.requirement)
