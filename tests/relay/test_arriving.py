"""How long items took is measured for each scenario, outlet and signal."""

from __future__ import annotations

from dataclasses import replace

from harness.capture.capture import Capture
from harness.capture.export import SENT, Export
from harness.otlp.model import Signal
from harness.relay import golden
from harness.relay.arriving import latencies

MS = 1_000_000


def passed(outlet: str, taken_ms: dict[Signal, list[int]], scenario: str = "passing") -> Capture:
    """A recorded session that was sent, and came out after so many ms (turn by turn)."""
    (recorded, *_) = golden.load(golden.releases()[-1])
    exports: list[Export] = []
    for export in recorded.accepted:
        exports.append(replace(export, collector=SENT))
        assert export.signal is not None
        times = taken_ms.get(export.signal, [])
        if times:
            arrived = export.arrived_unix_nano + times.pop(0) * MS
            exports.append(replace(export, collector=outlet, arrived_unix_nano=arrived))
    return replace(recorded, exports=tuple(exports), run=replace(recorded.run, scenario=scenario))


def test_each_signal_has_its_times() -> None:
    found = latencies([passed("grpc", {Signal.LOGS: [20, 20, 20], Signal.METRICS: [300]})])
    assert [(each.where, each.signal) for each in found] == [
        ("passing -> grpc", "metrics"),
        ("passing -> grpc", "logs"),
    ]
    assert [each.max_ms for each in found] == [300.0, 20.0]
    # Every item counts, though several have one identity: a session, a metric and a time.
    assert [each.items for each in found] == [7, 28]


def test_runs_of_a_scenario_are_taken_together_and_scenarios_apart() -> None:
    captures = [
        passed("http", {Signal.METRICS: [5]}),
        passed("http", {Signal.METRICS: [50]}),
        passed("http", {Signal.METRICS: [500]}, "away"),
    ]
    found = latencies(captures)
    assert [(each.where, each.items, each.max_ms) for each in found] == [
        ("passing -> http", 14, 50.0),
        ("away -> http", 7, 500.0),
    ]
    assert found[0].p50_ms < 5.1 < found[0].p90_ms


def test_what_was_refused_begins_when_it_was_accepted() -> None:
    capture = passed("http", {Signal.METRICS: [5]})
    first = replace(
        next(each for each in capture.exports if each.signal is Signal.METRICS),
        arrived_unix_nano=0,
        rejected="busy",
    )
    (found,) = latencies([replace(capture, exports=(first, *capture.exports))])
    assert found.max_ms == 5.0


def test_what_comes_out_twice_or_from_elsewhere_is_left_out() -> None:
    capture = passed("http", {Signal.METRICS: [5]})
    out = next(each for each in capture.exports if each.collector == "http")
    late = replace(out, arrived_unix_nano=out.arrived_unix_nano + 60_000 * MS)
    (found,) = latencies([replace(capture, exports=(*capture.exports, late))])
    assert (found.items, found.max_ms) == (7, 5.0)
    unsent = tuple(each for each in capture.exports if each.collector != SENT)
    assert latencies([replace(capture, exports=unsent)]) == ()


def test_series_have_no_times() -> None:
    """A scrape shows sums, and when it was looked at."""
    assert latencies([passed("scrape", {Signal.METRICS: [5]})]) == ()
