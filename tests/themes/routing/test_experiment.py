"""The schemas of endpoints and headers and the scenarios behind them name the same things."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

import pytest

from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.otlp.model import Protocol
from harness.running.stage import opened
from harness.themes.routing.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@cache
def headers(scenario_name: str, protocol: Protocol) -> frozenset[tuple[str, str]]:
    """Each header that a run sets, general or of one signal, as it must be sent."""
    scenario = BY_NAME[scenario_name]
    assert scenario.configure is not None
    with opened(scenario.backends, protocol) as stage:
        variables: Mapping[str, str] = scenario.configure(stage)
    texts = [text for name, text in variables.items() if name.endswith("HEADERS")]
    split = [each.partition("=") for text in texts for each in text.split(",") if each]
    return frozenset((name.strip().lower(), unquote(value.strip())) for name, _, value in split)


@pytest.fixture
def asked(contract: Contract) -> list[Requirement]:
    """All that is asked about the runs of this theme alone."""
    found = [
        each
        for each in contract.requirements
        if each.scenarios and set(each.scenarios) <= BY_NAME.keys()
    ]
    assert len(found) > 20
    return found


def schema(requirement: Requirement) -> Mapping[str, Any]:
    found = requirement.params.get("schema", requirement.schema)
    assert isinstance(found, Mapping)
    return found


def test_the_headers_that_must_be_sent_are_set(asked: list[Requirement]) -> None:
    found = [each for each in asked if each.path[:1] == ("headers",)]
    assert len(found) > 10
    for requirement in found:
        name = requirement.path[-1]
        for scenario in (BY_NAME[each] for each in requirement.scenarios):
            for protocol in scenario.protocols:
                headers_set = headers(scenario.name, protocol)
                if "const" in schema(requirement):
                    assert (name, schema(requirement)["const"]) in headers_set, requirement.name
                else:
                    assert name in dict(headers_set), requirement.name


def test_the_collectors_that_the_schemas_name_are_there(asked: list[Requirement]) -> None:
    named = {
        requirement.name: schema(requirement)["const"]
        for requirement in asked
        if requirement.path == ("collector",)
    }
    named["endpoints.overridden_unused"] = next(
        schema(each)["not"]["contains"]["const"]
        for each in asked
        if each.name == "endpoints.overridden_unused"
    )
    assert len(named) > 3
    for requirement in asked:
        if requirement.name in named:
            for scenario in requirement.scenarios:
                assert named[requirement.name] in BY_NAME[scenario].backends, requirement.name
