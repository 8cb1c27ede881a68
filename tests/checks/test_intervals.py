"""The bounds of an interval that requests prove, and what leaves at exit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.capture.export import Export
from harness.capture.run import ApiCall, GroundTruth
from harness.checks.judge import Judge
from harness.checks.measures.intervals import intervals, last_data
from harness.checks.view import CaptureView
from harness.contract.catalogue import Contract
from harness.findings import Judged, NotExercised

Exporter = Callable[..., Export]
Viewer = Callable[..., CaptureView]

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
        until: float = 90.0,
        told: Sequence[float] = (),
        asked: Sequence[float] = (),
        scenario: str = "intervals_short",
        **variables: str,
    ) -> CaptureView:
        """``metrics`` arrived at these seconds and say that they were collected when ``told``
        says; ``logs`` with records of these seconds."""
        exports = [
            exporter(
                points=[("claude_code.token.usage", 1, {"type": "output"}, {"time": ns(when)})],
                arrived_unix_nano=ns(at),
            )
            for at, when in zip(metrics, told or metrics, strict=True)
        ]
        exports += [
            exporter(
                events=[{"body": "x", "time_unix_nano": ns(each)} for each in records],
                arrived_unix_nano=ns(at),
            )
            for at, records in logs
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
        ([1, 2, 3, 4, 5], {}, (0.75, 1)),
        ([1, 2, 3.7, 4, 5], {}, (0.75, 1)),  # one was late
        ([1, 4.5, 4.5, 4.5, 5], {"told": [1, 2, 3, 4, 5]}, (0.125, 1)),  # nobody listened
        ([1, 3, 5, 7, 9], {}, (1.75, 2)),
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
    assert (found["above_s"], found["below_s"]) == (0.35, 0)
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
    ("arrived", "tokens", "untold"), [(9.5, 7, 0), (9.5, "7", 0), (9.5, 6, 1), (8.5, 7, 7)]
)
def test_the_last_answer_is_told_at_the_end(
    exporter: Exporter, viewer: Viewer, arrived: float, tokens: int | str, untold: int
) -> None:
    attributes = {"event.name": "api_request", "output_tokens": tokens}
    exports = [
        exporter(
            events=[{"body": "claude_code.api_request", "attributes": attributes}],
            arrived_unix_nano=ns(arrived),
        ),
        exporter(
            points=[
                ("claude_code.token.usage", float(tokens), {"type": "output"}),
                ("claude_code.token.usage", 99.0, {"type": "input"}),
            ],
            arrived_unix_nano=ns(arrived),
        ),
    ]
    last = call(9, output_tokens=7)
    truth = GroundTruth(api_calls=(call(1), last, call(9.9, output_tokens=3, auxiliary=True)))
    items = last_data(viewer(exports=exports, truth=truth).capture)
    assert [(item.view["signal"], item.view["untold"]) for item in items] == [
        ("metrics", untold),
        ("logs", untold),
    ]


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


def test_a_session_that_did_nothing_shows_no_interval(
    contract: Contract, judge: Judge, viewer: Viewer
) -> None:
    view = viewer(environment=ON, scenario="intervals_default")
    for name in ("intervals.metrics.default", "intervals.flush_at_exit"):
        outcome = judge.judge(contract.requirement(name), [view]).outcome
        assert isinstance(outcome, NotExercised)
