"""The bounds of an interval that requests prove, and what leaves at exit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, GroundTruth
from harness.contract.catalogue import Contract
from harness.findings import Judged, NotExercised
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.themes.catalogue import SCENARIOS
from harness.themes.intervals.measures import intervals, last_data, last_spans
from harness.themes.intervals.scenarios import SCENARIOS as INTERVALS

if TYPE_CHECKING:
    from tests.conftest import Exporter, Viewer

START = 1_000.0
ON = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp"}


def ns(seconds: float) -> int:
    """So many seconds after the start of the process."""
    return round((START + seconds) * 1e9)


def call(seconds: float, *, output_tokens: int = 5, auxiliary: bool = False) -> ApiCall:
    return ApiCall(
        "m",
        200,
        auxiliary,
        True,
        "r",
        output_tokens=output_tokens,
        arrived_unix_nano=ns(seconds),
    )


@pytest.fixture
def busy(exporter: Exporter, viewer: Viewer) -> Callable[..., CaptureView]:
    """A session that asks every quarter of a second from 1 s to ``until``, or when ``asked``."""

    def make(
        *,
        metrics: Sequence[float] = (),
        logs: Sequence[tuple[float, Sequence[float]]] = (),
        traces: Sequence[tuple[float, Sequence[float]]] = (),
        until: float = 90.0,
        collected: Sequence[float] = (),
        asked: Sequence[float] = (),
        scenario: str = "intervals_short",
        **variables: str,
    ) -> CaptureView:
        """``metrics`` arrived at these seconds and were ``collected`` at those, by their own
        word; ``logs`` with records of these seconds, ``traces`` with spans that ended then."""
        exports = [
            exporter(
                points=[("claude_code.token.usage", 1, {"type": "output"}, {"time": ns(when)})],
                arrived_unix_nano=ns(at),
            )
            for at, when in zip(metrics, collected or metrics, strict=True)
        ]
        exports += [
            exporter(
                events=[{"body": "x", "time_unix_nano": ns(each)} for each in records],
                arrived_unix_nano=ns(at),
            )
            for at, records in logs
        ]
        exports += [
            exporter(
                spans=[{"end_time_unix_nano": ns(each)} for each in ends],
                arrived_unix_nano=ns(at),
            )
            for at, ends in traces
        ]
        return viewer(
            exports=exports,
            scenario=scenario,
            environment={**ON, **variables},
            started_unix_nano=ns(0),
            truth=GroundTruth(
                api_calls=tuple(
                    call(at) for at in asked or [n / 4 for n in range(4, round(until * 4) + 1)]
                )
            ),
        )

    return make


Busy = Callable[..., CaptureView]


def measured(view: CaptureView, signal: str) -> dict[str, Any]:
    (found,) = [item.view for item in intervals(view.capture) if item.view["signal"] == signal]
    return dict(found)


def test_the_first_metrics_bound_the_interval(busy: Busy) -> None:
    """By when the reader began to wait: after the process, before its first question."""
    found = measured(busy(metrics=[60.5, 92.0]), "metrics")
    assert found == {
        "signal": "metrics",
        "exports": 2,
        "regular": 1,
        "at_least_s": 59.5,
        "at_most_s": 60.5,
    }


@pytest.mark.parametrize(
    ("metrics", "more", "bounds"),
    [
        ([1, 2, 3, 4, 5], {}, (1, 1)),
        ([1, 2, 3.7, 4, 5], {}, (1, 1)),  # one was late
        ([1, 4.5, 4.5, 4.5, 5], {"collected": [1, 2, 3, 4, 5]}, (0.125, 1)),  # nobody listened
        ([1, 3, 5, 7, 9], {}, (2, 2)),
        # Most of the time there was nothing to tell.
        ([1, 2, 4, 6, 8], {"asked": [0.5, 1.5, 3.5, 5.5, 7.5, 9]}, (0.5, 2)),
    ],
)
def test_the_usual_gap_between_metrics(
    busy: Busy, metrics: list[float], more: dict[str, Any], bounds: tuple[float, float]
) -> None:
    found = measured(busy(metrics=metrics, **{"until": 20, **more}), "metrics")
    assert (found["at_least_s"], found["at_most_s"]) == bounds


@pytest.mark.parametrize(
    ("logs", "bounds"),
    [
        # A batch leaves when its oldest record is one interval old.
        ([(6, [1, 3, 5.5]), (12.5, [7.5, 11]), (18, [13, 17])], (5, 6)),
        # One leaves every interval, whatever it holds.
        ([(5, [1, 3, 5]), (10, [6, 9]), (15, [10.5, 14])], (4, 5)),
        # One was late.
        ([(6, [1, 5.9]), (13, [6, 9]), (18.1, [13.1, 17])], (5, 6)),
        # Most were late: their records waited for longer than the interval can be.
        ([(5, [1, 4.9]), (12, [5.1, 11.9]), (18, [12, 17])], (5, 5)),
    ],
)
def test_batches_bound_the_interval(
    busy: Busy, logs: Sequence[tuple[float, Sequence[float]]], bounds: tuple[float, float]
) -> None:
    found = measured(busy(logs=logs), "logs")
    assert (found["at_least_s"], found["at_most_s"]) == bounds
    assert found["regular"] == 3


def test_what_was_configured_is_compared(busy: Busy) -> None:
    view = busy(metrics=[1, 2, 3, 4], until=9, OTEL_METRIC_EXPORT_INTERVAL="400")
    found = measured(view, "metrics")
    assert (found["above_s"], found["below_s"]) == (0.6, 0)
    found = measured(busy(logs=[(2, [1])], OTEL_LOGS_EXPORT_INTERVAL="2500"), "logs")
    assert (found["above_s"], found["below_s"]) == (0, 0.5)
    for odd in ("soon", "-100", "0", ""):
        view = busy(metrics=[1, 2, 3, 4], OTEL_METRIC_EXPORT_INTERVAL=odd)
        assert "above_s" not in measured(view, "metrics")


def test_a_signal_that_never_leaves_is_an_item_without_bounds(busy: Busy) -> None:
    assert measured(busy(metrics=[91]), "metrics") == {
        "signal": "metrics",
        "exports": 1,
        "regular": 0,
    }
    assert measured(busy(), "logs") == {"signal": "logs", "exports": 0, "regular": 0}


def test_nothing_is_measured_where_nothing_was_asked_or_switched_on(viewer: Viewer) -> None:
    assert intervals(viewer(environment=ON).capture) == []
    assert last_data(viewer(environment=ON).capture) == []
    idle = viewer(truth=GroundTruth(api_calls=(call(1),)))
    assert intervals(idle.capture) == []


# --- at exit


@pytest.mark.parametrize(
    ("when", "tokens", "untold"),
    [
        (9.5, 7, 0),
        (9.5, "7", 0),
        (9.5, 6, 1),
        # It arrives late, but tells of what was before.
        (8.5, 7, 7),
    ],
)
def test_the_last_answer_is_told_at_the_end(
    exporter: Exporter, viewer: Viewer, when: float, tokens: int | str, untold: int
) -> None:
    event = {
        "body": "claude_code.api_request",
        "attributes": {"event.name": "api_request", "output_tokens": tokens},
        "time_unix_nano": ns(when),
    }
    time = {"time": ns(when)}
    exports = [
        exporter(events=[event], arrived_unix_nano=ns(9.6)),
        exporter(
            points=[
                ("claude_code.token.usage", float(tokens), {"type": "output"}, time),
                ("claude_code.token.usage", 99.0, {"type": "input"}, time),
            ],
            arrived_unix_nano=ns(9.6),
        ),
    ]
    last = call(9, output_tokens=7)
    truth = GroundTruth(api_calls=(call(1), last, call(9.9, output_tokens=3, auxiliary=True)))
    items = last_data(viewer(exports=exports, truth=truth).capture)
    assert [(item.view["signal"], item.view["untold"]) for item in items] == [
        ("metrics", untold),
        ("logs", untold),
    ]


def test_the_last_spans_end_after_the_last_question(exporter: Exporter, viewer: Viewer) -> None:
    truth = GroundTruth(api_calls=(call(1), call(9)))
    traced = {**ON, "OTEL_TRACES_EXPORTER": "otlp"}
    ends = [{"name": "s", "end_time_unix_nano": ns(at)} for at in (8.9, 9.1)]
    for spans, ended in ((ends, 1), (ends[:1], 0), ([], 0)):
        exports = [exporter(spans=spans)] if spans else []
        (item,) = last_spans(viewer(exports=exports, truth=truth, environment=traced).capture)
        assert item.view == {"spans": len(spans), "ended": ended}
    assert last_spans(viewer(truth=truth, environment=ON).capture) == []
    assert last_spans(viewer(environment=traced).capture) == []


# --- as the contract judges it


@pytest.mark.parametrize(
    ("name", "facts", "right"),
    [
        ("intervals.metrics.default", {"metrics": [60.4]}, True),
        ("intervals.metrics.default", {"metrics": [62.9]}, True),
        ("intervals.metrics.default", {"metrics": [63.1]}, False),
        ("intervals.metrics.default", {"metrics": [59.8]}, False),
        ("intervals.metrics.default", {"metrics": [91]}, False),
        ("intervals.logs.default", {"logs": [(6.4, [1, 3])]}, True),
        ("intervals.logs.default", {"logs": [(6.6, [1, 3])]}, False),
        ("intervals.logs.default", {"logs": [(6, [1, 3]), (7.8, [3.1, 4])]}, False),
        ("intervals.logs.default", {}, False),
        ("intervals.metrics.not_a_number", {"metrics": [90.5]}, True),
        ("intervals.metrics.not_a_number", {"metrics": [0.5, 90.5]}, False),
        ("intervals.metrics.not_a_number", {}, False),
        ("intervals.logs.not_a_number", {"logs": [(6, [1, 3]), (91, [90])]}, True),
        ("intervals.logs.not_a_number", {"logs": [(2, [1.9]), (91, [90])]}, False),
    ],
)
def test_tolerances(
    contract: Contract, judge: Judge, busy: Busy, name: str, facts: dict[str, Any], right: bool
) -> None:
    requirement = contract.requirement(name)
    (scenario,) = requirement.scenarios
    outcome = judge.judge(requirement, [busy(scenario=scenario, **facts)]).outcome
    assert isinstance(outcome, Judged)
    assert (outcome.findings == ()) is right


_NAMES = {"metrics": "METRIC", "logs": "LOGS", "traces": "TRACES"}


def _as_by_the_clock(signal: str, interval_s: float) -> dict[str, Any]:
    """What an exporter sends that waits so long: a question every half second from 1 s."""
    if signal == "metrics":
        ticks = [0.5 + interval_s * n for n in range(1, 8)]
        return {"metrics": ticks, "until": ticks[-1] + 0.1}
    batches, oldest = [], 1.0
    for _ in range(4):
        sent = oldest + interval_s
        records = [n / 2 for n in range(round(oldest * 2), int(sent * 2) + 1)]
        batches.append((sent, records))
        oldest = records[-1] + 0.5
    return {signal: batches, "until": batches[-1][0] + 0.1}


@pytest.mark.parametrize("factor", [0.5, 1, 1.5, 2])
@pytest.mark.parametrize(
    ("scenario", "signal"),
    [
        (each.name, signal)
        for each in INTERVALS
        if not each.judged_only_by_name
        for signal, name in _NAMES.items()
        if float(each.environment.get(f"OTEL_{name}_EXPORT_INTERVAL", "").replace("soon", "") or 0)
        > 0
    ],
)
def test_each_configured_run_tells_a_wrong_interval(
    contract: Contract, judge: Judge, busy: Busy, scenario: str, signal: str, factor: float
) -> None:
    variables = dict(SCENARIOS[scenario].environment)
    interval_s = float(variables[f"OTEL_{_NAMES[signal]}_EXPORT_INTERVAL"]) / 1000
    facts = _as_by_the_clock(signal, interval_s * factor)
    until = facts.pop("until")
    view = busy(scenario=scenario, **facts, asked=_every_half_second(until), **variables)
    requirement = contract.requirement(f"intervals.{signal}.configured")
    outcome = judge.judge(requirement, [view]).outcome
    assert isinstance(outcome, Judged)
    assert (outcome.findings == ()) is (factor == 1)


def _every_half_second(until: float) -> list[float]:
    return [*(n / 2 for n in range(2, int(until * 2) + 1)), until]


def test_the_intervals_of_one_session_can_be_told_apart() -> None:
    orders = set()
    for scenario in INTERVALS:
        values = {
            signal: float(value) / 1000
            for signal, name in _NAMES.items()
            if (value := scenario.environment.get(f"OTEL_{name}_EXPORT_INTERVAL", "")).isdigit()
        }
        if len(values) > 1:
            orders.add(tuple(sorted(values, key=lambda signal: values[signal])))
            ordered = sorted(values.values())
            assert min(b - a for a, b in pairwise(ordered)) >= 1
    assert len(orders) == 3


def test_a_session_that_did_nothing_shows_no_interval(
    contract: Contract, judge: Judge, viewer: Viewer
) -> None:
    view = viewer(environment=ON, scenario="intervals_default")
    for name in ("intervals.metrics.default", "intervals.flush_at_exit"):
        outcome = judge.judge(contract.requirement(name), [view]).outcome
        assert isinstance(outcome, NotExercised)
