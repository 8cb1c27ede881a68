"""The schema of settings and the scenarios behind it name the same levels and values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.otlp.model import Protocol
from harness.running.scenario import Scenario
from harness.running.stage import Stage, opened
from harness.themes.settings.mutants import LOSERS
from harness.themes.settings.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"

Env = Mapping[str, str]


def levels(scenario: Scenario, stage: Stage) -> list[Env]:
    """The variables of every level and of every managed file."""
    assert scenario.configure is not None
    found: list[Env] = [scenario.configure(stage)]
    args = tuple(scenario.prepare(stage)) if scenario.prepare else ()
    found += [json.loads(arg)["env"] for arg in args if arg.startswith("{")]
    for folder in (stage.home, stage.work):
        for path in sorted((folder / ".claude").glob("settings*.json")):
            found.append(json.loads(path.read_text(encoding="utf-8"))["env"])
    files: Mapping[str, Any] = scenario.managed(stage) if scenario.managed else {}
    return found + [content["env"] for content in files.values()]


@cache
def pairs(scenario_name: str, ending: str) -> frozenset[tuple[str, str]]:
    """Each ``name=value`` of the variables with this ending, whatever the level."""
    scenario = BY_NAME[scenario_name]
    with opened(scenario.backends, scenario.protocols[0]) as stage:
        texts = [
            text
            for env in levels(scenario, stage)
            for name, text in env.items()
            if name.endswith(ending)
        ]
    split = [each.partition("=") for text in texts for each in text.split(",")]
    return frozenset((name.lower(), value) for name, _, value in split)


def addressed(stage: Stage, level: str, text: str) -> bool:
    """Whether the text has an endpoint of the level's collector, over whichever protocol."""
    ports = {stage.endpoint(level, protocol).rpartition(":")[2] for protocol in Protocol}
    return any(f":{port}" in text for port in ports)


@pytest.fixture
def asked(contract: Contract) -> list[Requirement]:
    found = [
        each
        for each in contract.requirements
        if set(each.scenarios) & BY_NAME.keys() and "schema" in each.params
    ]
    assert len(found) > 20
    return found


def expected(requirement: Requirement) -> list[str]:
    schema = requirement.params["schema"]
    assert isinstance(schema, Mapping)
    constant = schema.get("const", [])
    assert isinstance(constant, list)
    return constant


@pytest.mark.parametrize(("part", "ending"), [("headers", "HEADERS"), ("resource", ATTRIBUTES)])
def test_the_values_that_must_arrive_are_set(
    asked: list[Requirement], part: str, ending: str
) -> None:
    found = [each for each in asked if each.path[0] == part]
    assert found
    for requirement in found:
        (value,) = expected(requirement)
        for name in requirement.scenarios:
            pairs_set = pairs(name, ending)
            assert (requirement.path[-1], value) in pairs_set, requirement.name
            # The lie is a value that no level sets.
            assert "another" not in {each for _, each in pairs_set}


def test_the_levels_that_must_be_reached_are_set(asked: list[Requirement]) -> None:
    found = [each for each in asked if each.path == ("reached",)]
    assert found
    for requirement in found:
        for name in requirement.scenarios:
            scenario = BY_NAME[name]
            with opened(scenario.backends, scenario.protocols[0]) as stage:
                text = json.dumps(levels(scenario, stage))
                addressed_levels = {
                    level: addressed(stage, level, text) for level in expected(requirement)
                }
            assert all(addressed_levels.values()), f"{requirement.name}: {addressed_levels}"


def test_one_loser_at_least_is_never_to_be_reached(asked: list[Requirement]) -> None:
    for requirement in asked:
        assert set(LOSERS) - set(expected(requirement)), requirement.name
        assert all(LOSERS[0] in BY_NAME[name].backends for name in requirement.scenarios)
