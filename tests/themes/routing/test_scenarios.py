"""The variables of the scenarios about endpoints, and a session that hangs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SubjectError
from harness.otlp.model import Protocol
from harness.running.drive import drive
from harness.running.scenario import Scenario
from harness.running.stage import opened
from harness.subject.binary import Binary
from harness.subject.process import ProcessGroups
from harness.themes.routing.scenarios import OVERRIDDEN, SCENARIOS
from tests.hanging import Hang

OTLP = "OTEL_EXPORTER_OTLP_"

#: Asks the model something that is not in the script, and waits for ever.
HANGING = """
import json, os, signal, urllib.request
body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
urllib.request.urlopen(url, json.dumps(body).encode()).read()
"""

RUNS = [
    pytest.param(scenario, protocol, id=f"{scenario.name}-{protocol}")
    for scenario in SCENARIOS
    for protocol in scenario.protocols
]


def variables_of(scenario: Scenario, protocol: Protocol) -> tuple[Mapping[str, str], str]:
    """What it sets over a protocol, and where nobody must go."""
    assert scenario.configure is not None
    with opened(scenario.backends, protocol) as stage:
        forbidden = {stage.endpoint(OVERRIDDEN, each) for each in Protocol}
        variables = dict(scenario.configure(stage))
        general = variables.get(f"{OTLP}ENDPOINT", "")
        return variables, "overridden" if general in forbidden else general


@pytest.mark.parametrize(("scenario", "protocol"), RUNS)
def test_a_run_is_called_by_its_general_protocol(scenario: Scenario, protocol: Protocol) -> None:
    variables, _ = variables_of(scenario, protocol)
    general = variables.get(f"{OTLP}PROTOCOL")
    assert general is None or general.lower() == protocol


@pytest.mark.parametrize(("scenario", "protocol"), RUNS)
def test_every_signal_is_led_to_a_collector(scenario: Scenario, protocol: Protocol) -> None:
    variables, general = variables_of(scenario, protocol)
    for signal in ("METRICS", "LOGS"):
        own = variables.get(f"{OTLP}{signal}_ENDPOINT")
        assert own or (general and general != "overridden")


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.name.endswith("overridden")])
def test_what_is_overridden_leads_astray(scenario: Scenario) -> None:
    assert variables_of(scenario, scenario.protocols[0])[1] == "overridden"


@pytest.fixture
def hanging(tmp_path: Path, hang: Hang) -> Binary:
    path = tmp_path / "subject.py"
    path.write_text(f"{HANGING}\n{hang.in_python}\nsignal.pause()\n", encoding="utf-8")
    return Binary("test", (sys.executable, str(path)), str(path), "2.1.31")


def test_a_session_with_a_limit_is_judged_although_it_hangs(hanging: Binary) -> None:
    scenario = Scenario("one", "Is one.", prompt="Go.", limit_s=1.5)
    capture = drive(hanging, scenario, Protocol.GRPC, 300.0, ProcessGroups())
    assert capture.run.exit_code != 0
    assert len(capture.run.truth.api_calls) == 1


def test_without_a_limit_a_session_that_hangs_is_none(hanging: Binary) -> None:
    scenario = replace(Scenario("one", "Is one.", prompt="Go."), limit_s=None)
    with pytest.raises(SubjectError, match="did not end"):
        drive(hanging, scenario, Protocol.GRPC, 1.5, ProcessGroups())
