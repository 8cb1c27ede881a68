"""A relay in miniature, which makes series of deltas: rightly, or in a known wrong way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import SENT, Export
from harness.capture.observed import Observation, as_observed
from harness.capture.run import Run, SubjectFacts
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.exposition import SCRAPE, WRITE, series
from harness.exposition.scraped import Scraped
from harness.exposition.translation import Strategy, label_name, metric_name
from harness.mutants import editing
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.model import DataPoint, Metric, Protocol
from harness.relay.observed import Restarts
from harness.relay_themes.series.observed import Scrapes
from harness.relay_themes.series.totals import text

if TYPE_CHECKING:
    from tests.conftest import Exporter

SECOND = 10**9
BEGIN = 1_700_000_000 * SECOND
RESOURCE = {"service.name": "claude-code", "service.version": "2.1.332"}
UNITS = {
    "claude_code.cost.usage": "USD",
    "claude_code.token.usage": "tokens",
    "claude_code.active_time.total": "s",
}

#: Metric, value, attributes; when its window begins and ends, in seconds.
Delta = tuple[str, float, Mapping[str, Any], float, float]


@dataclass
class Counted:
    """One series as the relay keeps it."""

    metric: Metric
    labels: Mapping[str, str]
    attributes: Mapping[str, Any]
    total: float
    start: int
    ended: int


@dataclass
class Relay:
    """Keeps series, and shows them at each of its outlets.

    ``replaces`` is what the ``prometheus`` exporter does with a delta that does not begin where
    the one before ended; ``without`` are attributes that it removes; ``loses`` says which points.
    """

    strategy: Strategy = Strategy.UNDERSCORES_SUFFIXES
    namespace: str = ""
    replaces: bool = False
    without: frozenset[str] = frozenset()
    loses: Callable[[int], bool] = lambda number: False
    units: bool = True
    counted: dict[Any, Counted] = field(default_factory=dict)
    number: int = 0

    def take(self, export: Export) -> None:
        for point in export.data_points:
            self.number += 1
            if not self.loses(self.number):
                self._count(point)

    def restart(self) -> None:
        self.counted.clear()

    def _count(self, point: DataPoint) -> None:
        kept = {k: v for k, v in point.attributes.items() if k not in self.without}
        key = (point.metric.name, frozenset(kept.items()))
        value = float(point.value or 0)
        known = self.counted.get(key)
        if known is None:
            labels = {label_name(k, self.strategy): text(v) for k, v in kept.items()}
            start = point.start_time_unix_nano
            self.counted[key] = Counted(
                point.metric, labels, kept, value, start, point.time_unix_nano
            )
            return
        aligned = point.start_time_unix_nano == known.ended
        cumulative = point.metric.temporality == "cumulative"
        replaced = cumulative or (self.replaces and not aligned)
        known.total = value if replaced else known.total + value
        known.ended = point.time_unix_nano

    def samples(self) -> list[series.Sample]:
        target = series.Sample(
            "target_info", {"job": "claude-code", "service_version": "2.1.332"}, 1.0, "gauge"
        )
        return [
            series.Sample(
                metric_name(
                    each.metric.name,
                    each.metric.unit if self.units else "",
                    "counter",
                    self.strategy,
                    self.namespace,
                ),
                {**each.labels, "job": "claude-code"},
                each.total,
                "counter",
            )
            for each in self.counted.values()
        ] + [target]

    def scrape(self, unix_nano: int) -> Export:
        return series.export(SCRAPE, self.samples(), "http://localhost:1/metrics", unix_nano)

    def write(self, unix_nano: int) -> Export:
        return series.export(WRITE, self.samples(), "/api/v1/write", unix_nano)

    def send_on(self, exporter: Exporter, unix_nano: int) -> Export:
        points = [
            (
                each.metric.name,
                each.total,
                each.attributes,
                {"temporality": "cumulative", "start": each.start, "time": each.ended},
            )
            for each in self.counted.values()
        ]
        return exporter(
            points=points, resource=RESOURCE, collector="grpc", arrived_unix_nano=unix_nano
        )


Sender = Callable[..., Export]
Runner = Callable[..., Capture]


@pytest.fixture
def send(exporter: Exporter) -> Sender:
    """Make one request with these deltas; times are seconds."""

    def make(deltas: Iterable[Delta], at: float = 0.0, **fields: Any) -> Export:
        temporality = fields.pop("temporality", "delta")
        points = [
            (
                name,
                value,
                attributes,
                {
                    "unit": UNITS.get(name, ""),
                    "temporality": temporality,
                    "start": BEGIN + round(start * SECOND),
                    "time": BEGIN + round(end * SECOND),
                },
            )
            for name, value, attributes, start, end in deltas
        ]
        return exporter(
            points=points,
            resource=RESOURCE,
            **{"collector": SENT, "arrived_unix_nano": BEGIN + round(at * SECOND), **fields},
        )

    return make


def capture_of(exports: Sequence[Export], *observed: Observation, **facts: Any) -> Capture:
    run = Run(
        scenario="series",
        protocol=Protocol.GRPC,
        subject=SubjectFacts("collector", "/bin/collector", "2.1.332"),
        argv=(),
        environment={},
        started_unix_nano=0,
        ended_unix_nano=1,
        exit_code=0,
        stdout="",
        stderr="",
        observed={name: value for each in observed for name, value in as_observed(each).items()},
        **facts,
    )
    numbered = [replace(export, sequence=n) for n, export in enumerate(exports, start=1)]
    return Capture(run, tuple(numbered))


@pytest.fixture
def make_relay() -> Callable[..., Relay]:
    return Relay


@pytest.fixture
def passed(exporter: Exporter) -> Runner:
    """Send requests through a relay, look at its outlets after each, and make a capture of it."""

    def run(
        relay: Relay,
        requests: Sequence[Export],
        *observed: Observation,
        outlets: Sequence[str] = (SCRAPE,),
    ) -> Capture:
        exports: list[Export] = []
        for request in requests:
            exports.append(request)
            if not request.rejected:
                relay.take(request)
            if not relay.counted:
                continue
            for outlet in outlets:
                at = request.arrived_unix_nano + 1
                if outlet == "grpc":
                    exports.append(relay.send_on(exporter, at))
                else:
                    exports.append(relay.scrape(at) if outlet == SCRAPE else relay.write(at))
        return capture_of(exports, *observed)

    return run


@pytest.fixture
def a_session(send: Sender) -> Callable[..., list[Export]]:
    """The requests of a session that idles between its prompts, so that its deltas have gaps."""

    def make(session: str = "s1", inputs: Sequence[float] = (1046, 1083, 1120, 1157, 1194)) -> Any:
        who = {"session.id": session, "user.id": "u", "terminal.type": "xterm"}
        requests = []
        for turn, tokens in enumerate(inputs):
            begin, end = 10.0 * turn, 10.0 * turn + 1
            model = {**who, "model": "claude-opus"}
            deltas: list[Delta] = [
                ("claude_code.token.usage", tokens, {**model, "type": "input"}, begin, end),
                ("claude_code.token.usage", 7.0 + turn, {**model, "type": "output"}, begin, end),
                ("claude_code.cost.usage", 0.01 * (turn + 1), model, begin, end),
                ("claude_code.active_time.total", 1.5, {**who, "type": "cli"}, begin, end),
            ]
            if turn == 0:
                deltas.append(("claude_code.session.count", 1.0, who, begin, end))
            requests.append(send(deltas, at=end))
        return requests

    return make


@pytest.fixture
def conforming(
    passed: Runner, make_relay: Callable[..., Relay], a_session: Callable[..., list[Export]]
) -> Capture:
    """What a relay shows at all of its outlets that loses nothing."""
    text = (
        "# HELP claude_code_session_count_total Sessions\n"
        "# TYPE claude_code_session_count_total counter\n"
        'claude_code_session_count_total{session_id="s1"} 1\n'
    )
    scraped = Scraped("http://localhost:1/metrics", BEGIN, "text/plain; version=0.0.4", text)
    return passed(
        make_relay(),
        a_session(),
        Scrapes((scraped,)),
        outlets=(SCRAPE, WRITE, "grpc"),
    )


@pytest.fixture
def conforming_runs(
    conforming: Capture,
    passed: Runner,
    make_relay: Callable[..., Relay],
    a_session: Callable[..., list[Export]],
) -> tuple[Capture, ...]:
    """A run of every scenario with a relay that loses nothing."""

    def of(capture: Capture, scenario: str, *traits: str) -> Capture:
        return replace(capture, run=replace(capture.run, scenario=scenario, traits=traits))

    nameless = [without(each, "session.id") for s in ("s1", "s2") for each in a_session(s)]
    nameless.sort(key=lambda each: each.arrived_unix_nano)
    return (
        conforming,
        of(passed(make_relay(), a_session()), "idle_gaps"),
        of(passed(make_relay(), nameless), "without_session_id"),
        of(restarted(passed, make_relay(), a_session()), "restart", JUDGED_ONLY_BY_NAME),
    )


def without(export: Export, key: str) -> Export:
    """Take an attribute off every point of a request."""
    message = copy_message(export)
    assert message is not None
    for ref in editing.item_refs(message):
        editing.drop_attribute(ref.record.attributes, key)
    return rewritten(export, message)


def restarted(passed: Runner, relay: Relay, requests: Sequence[Export]) -> Capture:
    """Restart a relay before the last two requests."""
    before = passed(relay, requests[:-2])
    relay.restart()
    down = requests[-2].arrived_unix_nano - SECOND
    gone = series.export(SCRAPE, [], "http://localhost:1/metrics", down + 1)
    after = passed(relay, requests[-2:])
    return capture_of((*before.exports, gone, *after.exports), Restarts((down,)))
