"""What happens between two scrapes is told of a session that is sent step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from harness.assessment.relay import RelaySetup
from harness.capture.export import Export
from harness.exposition import SCRAPE
from harness.judging.items.item import Item
from harness.otlp.model import Protocol
from harness.relay.recorder import RelayPlan, record_relay
from harness.relay.replay import Recorded
from harness.relay.scenario import RelayScenario
from harness.relay.stage import RelayStage
from harness.relay.target import Target
from harness.relay.ways import ways_of
from harness.relay_themes.series.measures import totals
from harness.relay_themes.series.observed import SeriesRun
from tests.collectors.judging import command
from tests.collectors.sessions import BILLED, BUSY, TOKENS, tokens
from tests.collectors.shapes import SHAPES

#: How long a pause may be in scrape.yaml.
LONG = "metric_expiration: 180m"
#: What must be scraped after each export, before the next one; None: nothing of the series.
Steps = Sequence[Sequence[float | None]]


def test_what_is_advised_about_a_series_that_expired_helps(otelcol: Path, tmp_path: Path) -> None:
    expired = sent_by_steps(
        otelcol,
        tmp_path / "short",
        "scrape",
        [(1046,), (2129, None), (1120,), (3471,)],
        lambda config: config.replace(LONG, "metric_expiration: 1s"),
    )
    assert expired.view["cause"] == "series expired"
    assert "raise `metric_expiration`" in expired.where
    assert expired.view["seen_total"] == TOKENS[2] + TOKENS[3]
    kept = sent_by_steps(
        otelcol, tmp_path / "long", "scrape", [(1046,), (2129,), (3249,), (BILLED,)]
    )
    assert kept.view["missing"] == 0


def test_what_is_advised_about_a_counter_that_fell_helps(otelcol: Path, tmp_path: Path) -> None:
    fell = sent_by_steps(
        otelcol, tmp_path / "two", "two_instances", [(1046,), (2129,), (1120,), (4480,)]
    )
    assert fell.view["cause"] == "counter fell"
    assert "send each session to one instance only" in fell.where
    assert fell.view["seen_total"] == BILLED - TOKENS[2]
    whole = sent_by_steps(
        otelcol, tmp_path / "one", "scrape_cumulative", [(1046,), (2129,), (3249,), (BILLED,)]
    )
    assert whole.view["missing"] == 0


def sent_by_steps(
    otelcol: Path,
    folder: Path,
    name: str,
    steps: Steps,
    edit: Callable[[str], str] = lambda config: config,
) -> Item:
    """Send the exports of a busy session, and return what is said of their sum."""
    folder.mkdir()
    shape = SHAPES[name]
    config = edit(shape.config.read_text(encoding="utf-8"))
    target = Target(command=command(otelcol), config=config, config_file=shape.config)
    now = time.time_ns()

    def run(stage: RelayStage) -> None:
        for number, wanted in enumerate(steps):
            message = ParseDict(tokens(number, now, BUSY), ExportMetricsServiceRequest())
            stage.send([Recorded(message, now)])
            for value in wanted:
                await_scrape(stage, value)

    ways = ways_of(target, (), folder)
    plan = RelayPlan(
        target,
        RelaySetup(target, ways, 2.0).subject,
        (RelayScenario("passing", run, (Protocol.HTTP_PROTOBUF,), passes_through=True),),
        tuple(Protocol),
        ways.make,
        (),
        2.0,
        (SeriesRun(ways.names),),
    )
    (capture,) = record_relay(plan, print).captures
    (item,) = (each for each in totals(capture) if each.view["outlet"] == SCRAPE)
    assert item.view["sent_total"] == BILLED
    return item


def await_scrape(stage: RelayStage, value: float | None) -> None:
    """Wait until the newest scrape shows this value of the series, or nothing of it."""
    outlet = next(each for each in stage.outlets if each.name == SCRAPE)

    def shows(exports: tuple[Export, ...]) -> bool:
        points = (point for each in exports[-1:] for point in each.data_points)
        return [point.value for point in points if "token" in point.metric.name] == (
            [] if value is None else [value]
        )

    outlet.wait_for(shows, 120.0, f"a scrape that shows {value}")
