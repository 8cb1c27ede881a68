"""The schema of intervals and the experiments behind it say the same numbers.

A bound of the schema is an interval of the experiment, less or more by a tolerance of it,
so that neither can be changed alone; the intervals are far enough apart for each lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations
from typing import Any

import pytest

from harness.otlp.model import Signal
from harness.running.scenario import Scenario
from harness.themes.intervals import experiment as e
from harness.themes.intervals.scenarios import SCENARIOS

SchemaOf = Callable[[str], Mapping[str, Any]]

MINUTE_S, FIVE_S = e.DEFAULT_S[Signal.METRICS], e.DEFAULT_S[Signal.LOGS]
BY_NAME = {each.name: each for each in SCENARIOS}
CONFIGURED = [BY_NAME[name] for name in ("intervals_long", "intervals_medium", "intervals_short")]


def configured_s(scenario: Scenario) -> dict[Signal, float]:
    """The intervals that a scenario sets, in seconds."""
    values = {signal: scenario.environment.get(name, "") for signal, name in e.VARIABLES.items()}
    return {signal: int(value) / 1000 for signal, value in values.items() if value}


@pytest.mark.parametrize(
    ("requirement", "interval_s", "late_s"),
    [
        ("intervals.metrics.default", MINUTE_S, e.ONE_LATE_S),
        ("intervals.logs.default", FIVE_S, e.DEFAULT_LATE_S),
        ("intervals.traces.default", e.DEFAULT_S[Signal.TRACES], e.DEFAULT_LATE_S),
        ("intervals.logs.empty", FIVE_S, e.ONE_LATE_S),
    ],
)
def test_a_default_is_bounded_by_its_tolerances(
    schema_of: SchemaOf, requirement: str, interval_s: float, late_s: float
) -> None:
    schema = schema_of(requirement)
    assert schema["properties"] == {
        "at_least_s": {"maximum": pytest.approx(interval_s + late_s)},
        "at_most_s": {"minimum": pytest.approx(interval_s - e.EARLY_S)},
    }
    tolerances = f"at most {e.EARLY_S:g} s shorter and {late_s:g} s longer"
    assert f"of {interval_s:g} s, {tolerances}" in schema["title"]
    # The lies: half of the interval, and the next request's time.
    assert interval_s / 2 < interval_s - e.EARLY_S
    assert 2 * interval_s - e.EARLY_S > interval_s + late_s


@pytest.mark.parametrize(
    ("requirement", "interval_s"),
    [
        ("intervals.metrics.empty", MINUTE_S),
        ("intervals.metrics.not_a_number", MINUTE_S),
        ("intervals.metrics.negative", MINUTE_S),
        ("intervals.logs.not_a_number", FIVE_S),
        ("intervals.logs.negative", FIVE_S),
    ],
)
def test_what_is_no_interval_leaves_the_default(
    schema_of: SchemaOf, requirement: str, interval_s: float
) -> None:
    _, none_before = schema_of(requirement)["anyOf"]
    assert none_before["properties"] == {
        "at_most_s": {"minimum": pytest.approx(interval_s - e.EARLY_S)}
    }
    assert f"none before {interval_s:g} s" in schema_of(requirement)["title"]


@pytest.mark.parametrize("signal", Signal)
def test_what_is_configured_is_bounded_by_its_tolerances(
    schema_of: SchemaOf, signal: Signal
) -> None:
    schema = schema_of(f"intervals.{signal}.configured")
    assert schema["properties"] == {
        "below_s": {"maximum": e.EARLY_S},
        "above_s": {"maximum": e.ONE_LATE_S},
    }
    several, one = schema["anyOf"]
    assert several["properties"] == {"above_s": {"maximum": e.LATE_S}}
    assert one["properties"] == {"regular": {"const": 1}}
    longer = f"{e.LATE_S:g} s longer ({e.ONE_LATE_S:g} s if only one request was measured)"
    assert f"at most {e.EARLY_S:g} s shorter and {longer}" in schema["title"]


def late_s(scenario: Scenario, signal: Signal) -> float:
    """How late an interval may seem there: one request has to do for the document's."""
    one = configured_s(scenario)[signal] * 1000 == e.LOGS_OF_THE_DOCUMENT_MS
    return e.ONE_LATE_S if one else e.LATE_S


@pytest.mark.parametrize("scenario", CONFIGURED, ids=lambda each: each.name)
def test_each_interval_is_told_from_lateness_and_from_the_others(scenario: Scenario) -> None:
    set_s = configured_s(scenario)
    assert len(set_s) >= 2
    for signal, interval_s in set_s.items():
        most = late_s(scenario, signal)
        # Half and half as much again.
        assert interval_s / 2 > most + e.EARLY_S
        # The lies say twice and a quarter of it.  What bounds it from below may miss the
        # pause between two records.
        assert interval_s * e.TWICE - (interval_s + most) > e.EARLY_S
        assert interval_s - e.EARLY_S - e.PACE_S - interval_s * e.A_QUARTER > most
    for (one, one_s), (_, other_s) in permutations(set_s.items(), 2):
        assert abs(one_s - other_s) > late_s(scenario, one) + e.EARLY_S


@pytest.mark.parametrize("scenario", CONFIGURED, ids=lambda each: each.name)
def test_a_session_lasts_for_what_it_waits_for(scenario: Scenario) -> None:
    longest = max(configured_s(scenario).values())
    assert scenario.waits_s == e.LASTS_S > 2 * longest


def test_the_session_of_the_defaults_outlasts_them() -> None:
    assert e.NAPS * e.NAP_S >= MINUTE_S + e.ONE_LATE_S
    assert e.DEFAULT_STEPS * e.DEFAULT_PACE_S > 2 * (FIVE_S + e.DEFAULT_LATE_S)
    assert BY_NAME["intervals_default"].waits_s == MINUTE_S


def test_a_session_with_odd_intervals_ends_before_any_default() -> None:
    assert e.ODD_STEPS * e.PACE_S < FIVE_S - e.EARLY_S
