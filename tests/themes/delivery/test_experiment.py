"""The schema of collectors in trouble and the experiments behind it say the same.

A bound of the schema is a constant of the experiment, so that neither can be changed
alone, and a lie breaks its bound whatever a machine did to the run that it is told of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness.capture.export import MAIN
from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.running.responders import Reply
from harness.themes.delivery import experiment as e
from harness.themes.delivery.scenarios import (
    OVER_GRPC,
    OVER_HTTP,
    SCENARIOS,
    SLOW_COLLECTOR,
)

SchemaOf = Callable[[str], Mapping[str, Any]]

PLANS = {"refusing_http": OVER_HTTP, "refusing_grpc": OVER_GRPC}


def replies(scenario: str) -> dict[str, Reply]:
    """What the collector of a scenario answers, by name."""
    plan = PLANS[scenario]
    return {reply.called: reply for each in plan.values() for reply in each}


def where(requirement: Requirement) -> Mapping[str, Any]:
    found = requirement.params.get("where", {})
    assert isinstance(found, Mapping)
    return found


@pytest.fixture
def refused(contract: Contract) -> list[Requirement]:
    """All that is asked about the answer that a delivery got first from a refusing collector."""
    found = [
        each
        for each in contract.requirements
        if "first" in where(each) and set(each.scenarios) & PLANS.keys()
    ]
    assert len(found) > 20
    return found


def test_the_answers_that_the_schema_names_are_given(refused: list[Requirement]) -> None:
    asked: dict[str, set[str]] = {name: set() for name in PLANS}
    for requirement in refused:
        for scenario in requirement.scenarios:
            asked[scenario].add(str(where(requirement)["first"]))
    assert {name: known - replies(name).keys() for name, known in asked.items()} == {
        name: set() for name in PLANS
    }
    # Nor is an answer given that nothing is asked about.
    assert {name: replies(name).keys() - known for name, known in asked.items()} == {
        name: set() for name in PLANS
    }


@pytest.mark.parametrize(
    "requirement",
    [
        "collector_failures.http.retry_after.honoured",
        "collector_failures.http.retry_after_date.honoured",
        "collector_failures.grpc.retry_info.honoured",
        "collector_failures.grpc.resource_exhausted_with_retry_info.honoured",
    ],
)
def test_the_pause_that_is_asked_for_is_the_one_that_is_held(
    schema_of: SchemaOf, contract: Contract, requirement: str
) -> None:
    schema = schema_of(requirement)
    assert schema["minimum"] == pytest.approx(e.DELAY_S - e.EARLY_S)
    assert f"at least {e.DELAY_S} s, less {e.EARLY_S:g} s" in schema["title"]
    asked = contract.requirement(requirement)
    (scenario,) = asked.scenarios
    assert replies(scenario)[str(where(asked)["first"])].delay_s == e.DELAY_S
    assert e.AT_ONCE_S < e.PAUSE_S < e.DELAY_S - e.EARLY_S


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_pauses_that_nobody_asks_for(schema_of: SchemaOf, transport: str) -> None:
    assert schema_of(f"collector_failures.{transport}.backoff.pauses")["minimum"] == e.PAUSE_S
    growth = schema_of(f"collector_failures.{transport}.backoff.grows")
    assert growth["minimum"] == e.GROWTH
    assert f"at least {e.GROWTH:g} times" in growth["title"]
    assert e.AT_ONCE_S < e.PAUSE_S
    assert e.SHORTER < e.GROWTH
    # Three refusals make the pauses that growth is measured by.
    assert replies(f"refusing_{transport}")["unavailable_thrice"].times >= 2


def test_who_does_not_send_again_is_watched_for_long_enough(refused: list[Requirement]) -> None:
    watched = [each for each in refused if "watched_s" in where(each)]
    assert len(watched) > 5
    for requirement in watched:
        assert where(requirement)["watched_s"] == {"minimum": e.WATCHED_S}
        for scenario in requirement.scenarios:
            reply = replies(scenario)[str(where(requirement)["first"])]
            assert reply.delay_s is None
            assert reply.watched_s > e.WATCHED_S


def test_an_answer_is_waited_for_as_configured(schema_of: SchemaOf, contract: Contract) -> None:
    name = "collector_failures.timeout.configured"
    schema = schema_of(name)
    assert (schema["minimum"], schema["maximum"]) == (e.TIMEOUT_LEAST_S, e.TIMEOUT_MOST_S)
    tolerances = f"{e.TIMEOUT_S:g} s ({e.TIMEOUT_LEAST_S:g} to {e.TIMEOUT_MOST_S:g} s)"
    assert f"{tolerances}, not the default of {e.DEFAULT_TIMEOUT_S:g} s" in schema["title"]
    assert SLOW_COLLECTOR.environment["OTEL_EXPORTER_OTLP_TIMEOUT"] == str(
        round(e.TIMEOUT_S * 1000)
    )
    # Neither at once, nor by the default, nor because the collector answers after all.
    assert 0 < e.TIMEOUT_LEAST_S < e.TIMEOUT_S < e.TIMEOUT_MOST_S < e.DEFAULT_TIMEOUT_S < e.HELD_S
    # The session has to go on for longer than it waits, or it would prove nothing.
    assert where(contract.requirement(name))["watched_s"]["minimum"] == e.WATCHED_S
    assert e.TIMEOUT_S < e.WATCHED_S
    # Whenever it was given up, it was later than it was asked.
    assert e.WAITS_ON_S > e.TIMEOUT_MOST_S


def test_the_end_is_not_held_up(schema_of: SchemaOf) -> None:
    schema = schema_of("collector_failures.work.not_held_up")
    assert schema["maximum"] == e.DEFAULT_TIMEOUT_S < e.LINGERS_S
    assert f"at most {e.DEFAULT_TIMEOUT_S:g} s" in schema["title"]


def test_the_last_words_are_those_of_the_model(schema_of: SchemaOf) -> None:
    pattern = schema_of("collector_failures.work.answered")["pattern"]
    assert re.fullmatch(pattern, e.LAST_WORDS)
    for scenario in SCENARIOS:
        assert not callable(scenario.script)
        assert getattr(scenario.script[-1], "text", None) == e.LAST_WORDS


def test_the_refusing_scenarios_follow_these_plans() -> None:
    by_name = {each.name: each for each in SCENARIOS}
    for name, plan in PLANS.items():
        responder: Any = by_name[name].backends[MAIN].responder
        assert responder.args == (plan,)
