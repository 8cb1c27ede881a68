"""The schema of collectors that speak TLS and the scenarios behind it name the same things."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.contract.catalogue import Contract
from harness.contract.requirement import Requirement
from harness.fakes.script import UseTool
from harness.otlp.model import Protocol, Signal
from harness.running.stage import opened
from harness.themes.catalogue import SCENARIOS

#: Who may be asked for a client certificate, from the most particular to the most general.
CERTIFICATES = (
    "OTEL_EXPORTER_OTLP_{signal}_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "CLAUDE_CODE_CLIENT_CERT",
)


def part(requirement: Requirement, name: str) -> Mapping[str, Any]:
    found = requirement.params.get(name, {})
    assert isinstance(found, Mapping)
    return found


@cache
def led_to(scenario_name: str, protocol: Protocol, collector: str) -> Mapping[str, str | None]:
    """The signals that a run sends to a collector, each with whose certificate it shows there."""
    scenario = SCENARIOS[scenario_name]
    assert scenario.configure is not None
    with opened(scenario.backends, protocol) as stage:
        variables = scenario.configure(stage)
        port = stage.endpoint(collector).rpartition(":")[2]
        shown = {}
        for signal in Signal:
            endpoint = variables.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "")
            if f":{port}" in endpoint:
                files = [variables.get(each.format(signal=signal.upper())) for each in CERTIFICATES]
                shown[signal.value] = next((Path(file).stem for file in files if file), None)
        return shown


@pytest.fixture
def asked(contract: Contract) -> list[Requirement]:
    """All that is asked about one collector."""
    found = [
        each
        for each in contract.requirements
        if each.name.startswith("tls.") and "collector" in part(each, "where")
    ]
    assert len(found) > 10
    return found


def runs(requirement: Requirement) -> list[tuple[str, Protocol]]:
    return [
        (name, protocol)
        for name in requirement.scenarios
        for protocol in SCENARIOS[name].protocols
        if protocol in (requirement.protocols or tuple(Protocol))
    ]


def test_the_doors_that_the_schema_names_are_opened(asked: list[Requirement]) -> None:
    for requirement in asked:
        collector = part(requirement, "where")["collector"]
        for scenario, protocol in runs(requirement):
            assert led_to(scenario, protocol, collector), f"{requirement.name} in {scenario}"


def test_every_door_is_asked_about(asked: list[Requirement]) -> None:
    known = {part(each, "where")["collector"] for each in asked}
    opened = {
        collector
        for name, scenario in SCENARIOS.items()
        if name.startswith("tls_")
        for collector in scenario.backends
    }
    # What this one lets in is asked about with others: no session may be harmed.
    assert opened - known == {"strange_certificate"}


def test_the_signals_that_a_door_must_get_are_led_there(asked: list[Requirement]) -> None:
    required = [each for each in asked if "required" in part(each, "schema")]
    assert required
    for requirement in required:
        collector = part(requirement, "where")["collector"]
        for scenario, protocol in runs(requirement):
            signals = sorted(led_to(scenario, protocol, collector))
            assert sorted(part(requirement, "schema")["required"]) == signals, requirement.name


def test_the_certificates_that_a_door_must_see_are_configured(asked: list[Requirement]) -> None:
    certificates = [each for each in asked if each.path == ("certificates",)]
    assert certificates
    for requirement in certificates:
        collector = part(requirement, "where")["collector"]
        for scenario, protocol in runs(requirement):
            shown = sorted(set(led_to(scenario, protocol, collector).values()), key=str)
            assert part(requirement, "schema")["const"] == shown, requirement.name


def test_the_work_that_must_be_done_is_the_script(contract: Contract) -> None:
    requirement = contract.requirement("tls.refusal_harmless")
    assert requirement.scenarios
    for name in requirement.scenarios:
        script = SCENARIOS[name].script
        assert not callable(script)
        tools = sum(isinstance(step, UseTool) for step in script)
        assert part(requirement, "schema")["const"] == {"exit_code": 0, "tools": tools}
