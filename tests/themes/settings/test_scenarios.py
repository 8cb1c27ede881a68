"""What each level of settings says and where it lies, and who is heard in a real session."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.recording import recorded
from harness.findings import Verdict
from harness.judging.verdicts import Row
from harness.otlp.model import Protocol
from harness.running.drive import closed_port
from harness.running.recorder import Recorded, record
from harness.running.scenario import Scenario
from harness.running.stage import Stage, opened
from harness.subject import managed
from harness.subject.binary import Binary, resolve
from harness.subject.managed import FOLDER, MAIN_FILE
from harness.themes.settings import scenarios as settings
from harness.themes.settings.observed import CommandEnvironment
from harness.themes.settings.scenarios import (
    ALL_LEVELS,
    EXAMPLE,
    LEVELS,
    LOCKED,
    LOCKED_CREDENTIALS,
    SCENARIOS,
    SIEM_EXAMPLE,
    default_port_taken,
    passed_on,
)

OTLP = "OTEL_EXPORTER_OTLP_"
RELEASE = "2.1.240"

Env = Mapping[str, str]


@pytest.fixture
def no_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed, "namespace", lambda: ())


def silent(line: str) -> None:
    """Progress is not wanted here."""


# --- what is written, and where


def written(stage: Stage) -> dict[str, Env]:
    """The variables of each settings file on the stage, by its level."""
    files = {
        "user": stage.home / ".claude" / "settings.json",
        "project": stage.work / ".claude" / "settings.json",
        "local": stage.work / ".claude" / "settings.local.json",
    }
    return {
        name: json.loads(path.read_text(encoding="utf-8"))["env"]
        for name, path in files.items()
        if path.exists()
    }


def arranged(scenario: Scenario, stage: Stage) -> dict[str, Env]:
    """The variables of every level, after the scenario has prepared its stage."""
    assert scenario.configure is not None
    args = tuple(scenario.prepare(stage)) if scenario.prepare else ()
    levels = {"environment": scenario.configure(stage), **written(stage)}
    if args:
        option, given = args
        assert option == "--settings"
        levels["command_line"] = json.loads(given)["env"]
    if scenario.managed:
        main: Any = scenario.managed(stage)[MAIN_FILE]
        levels["managed"] = main["env"]
    return levels


@pytest.mark.parametrize(
    ("scenario", "names"),
    [
        (LEVELS, ("environment", "user", "project", "local", "command_line")),
        (ALL_LEVELS, ("environment", "user", "project", "local", "command_line", "managed")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_level_leads_to_a_collector_of_its_own(
    scenario: Scenario, names: tuple[str, ...]
) -> None:
    with opened(scenario.backends, scenario.protocols[0]) as stage:
        levels = arranged(scenario, stage)
        assert tuple(levels) == names
        assert {name: env[f"{OTLP}ENDPOINT"] for name, env in levels.items()} == {
            name: stage.endpoint(name) for name in names
        }


@pytest.mark.parametrize("scenario", [EXAMPLE, SIEM_EXAMPLE], ids=lambda each: each.name)
def test_a_documented_example_stands_alone(scenario: Scenario) -> None:
    with opened(scenario.backends, scenario.protocols[0]) as stage:
        levels = arranged(scenario, stage)
    assert set(levels) == {"environment", "managed"}
    assert levels["environment"] == {}
    assert levels["managed"]["CLAUDE_CODE_ENABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize("protocol", LOCKED.protocols)
def test_what_is_locked_would_lead_away_by_another_protocol(protocol: Protocol) -> None:
    with opened(LOCKED.backends, protocol) as stage:
        levels = arranged(LOCKED, stage)
        for name, signal in (("environment", "metrics"), ("user", "logs")):
            own_protocol = Protocol(levels[name][f"{OTLP}{signal.upper()}_PROTOCOL"])
            assert own_protocol is not protocol
            endpoint = levels[name][f"{OTLP}{signal.upper()}_ENDPOINT"]
            assert endpoint == f"{stage.endpoint(name, own_protocol)}/v1/{signal}"


def test_managed_files_are_described_and_not_written() -> None:
    assert ALL_LEVELS.managed is not None
    with opened(ALL_LEVELS.backends, ALL_LEVELS.protocols[0]) as stage:
        names = list(ALL_LEVELS.managed(stage))
        assert written(stage) == {}
    assert names[0] == MAIN_FILE
    fragments = [name for name in names[1:] if Path(name).parent.name == "managed-settings.d"]
    assert len(fragments) == 2
    assert fragments != sorted(fragments), "who reads them as they come is found out"


# --- what stands in the way, and what was seen


def test_a_default_port_that_somebody_listens_on_hinders(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, closed_port() as closed:
        port = server.getsockname()[1]
        monkeypatch.setattr(settings, "why_not_apart", lambda: "not permitted")
        monkeypatch.setattr(settings, "_DEFAULT_PORTS", (closed,))
        assert default_port_taken() is None
        monkeypatch.setattr(settings, "_DEFAULT_PORTS", (closed, port))
        reason = default_port_taken()
        assert reason is not None
        assert f"port {port}," in reason
        monkeypatch.setattr(settings, "why_not_apart", lambda: "")
        assert default_port_taken() is None
    assert [each for each in SCENARIOS if each.skip_reason] == [LOCKED_CREDENTIALS]
    assert LOCKED_CREDENTIALS.skip_reason is default_port_taken


@pytest.fixture
def stage() -> Iterator[Stage]:
    with opened({}, Protocol.GRPC) as stage:
        yield stage


@pytest.mark.parametrize(
    ("listing", "seen"),
    [
        (None, None),
        ("", None),
        ("OTEL_X=1\n", None),
        ("PATH=/bin\nHOME=/h\nNOT_OTEL_X=1\n", CommandEnvironment(())),
        ("PATH=/bin\nOTEL_B=1\nOTEL_A=\n", CommandEnvironment(("OTEL_A", "OTEL_B"))),
        ("PATH=/bin\nOTHER=x=header-of-the-user\n", CommandEnvironment(("OTHER",))),
    ],
)
def test_what_a_command_was_given(
    stage: Stage, listing: str | None, seen: CommandEnvironment | None
) -> None:
    if listing is not None:
        (stage.work / "environment.txt").write_text(listing, encoding="utf-8")
    completed: Any = None  # it does not matter how the session ended
    assert passed_on(stage, completed) == seen


# --- in a real session


def judged(done: Recorded, scenario: Scenario) -> dict[str, Row]:
    """The rows of all that the contract says of the scenario."""
    made = recorded(done.captures, undriven=done.faults, skipped=done.skipped)
    assessment = Assessment("reference", RELEASE, lambda: made)
    contract = assessment.contract
    return {
        each.name: assessment.row(each)
        for each in contract.requirements
        if contract.applies(each) and scenario.name in each.scenarios
    }


@pytest.mark.parametrize(
    "scenario",
    [
        LEVELS,
        pytest.param(ALL_LEVELS, marks=pytest.mark.needs("mount namespace")),
    ],
    ids=lambda each: each.name,
)
def test_the_conforming_emitter_hears_whom_it_should(scenario: Scenario) -> None:
    before = FOLDER.exists()
    binary = resolve(f"reference:{RELEASE}", progress=silent)
    one = replace(scenario, protocols=(Protocol.HTTP_PROTOBUF,))
    done = record(binary, scenarios=[one], progress=silent)
    assert (done.faults, done.skipped) == ({}, {})
    rows = judged(done, scenario)
    assert len(rows) >= 5
    assert {name: row for name, row in rows.items() if row.verdict is not Verdict.PASS} == {}
    assert FOLDER.exists() == before


@pytest.mark.usefixtures("no_namespace")
def test_where_no_run_can_have_managed_settings_one_is_told_how() -> None:
    binary = resolve(f"reference:{RELEASE}", progress=silent)
    done = record(binary, scenarios=[ALL_LEVELS], progress=silent)
    assert done.captures == ()
    assert list(done.skipped) == ["settings_managed over http/protobuf"]
    rows = judged(done, ALL_LEVELS)
    assert {row.verdict for row in rows.values()} == {Verdict.NOT_EXERCISED}
    assert all(managed.OPTION in row.reason for row in rows.values())


@pytest.mark.usefixtures("no_namespace")
def test_settings_of_the_machine_are_there_for_their_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "system" / "claude-code"
    written_alone = partial(managed.on_the_machine, lock=tmp_path / "lock")
    monkeypatch.setattr(managed, "on_the_machine", written_alone)
    monkeypatch.setattr(managed, "deployed", partial(managed.deployed, folder=folder))
    monkeypatch.setattr(managed, "skip_reason", partial(managed.skip_reason, folder=folder))
    path = tmp_path / "subject.py"
    path.write_text(
        "import pathlib\n"
        f"path = pathlib.Path({str(folder / MAIN_FILE)!r})\n"
        "print(path.read_text() if path.exists() else 'nothing')\n",
        encoding="utf-8",
    )
    subject = Binary("test", (sys.executable, str(path)), str(path), RELEASE)
    with_them = Scenario(
        "with_them",
        "Has them.",
        prompt="Go.",
        protocols=(Protocol.GRPC, Protocol.HTTP_JSON),
        managed=lambda stage: {MAIN_FILE: {"protocol": stage.protocol}},
    )
    without = Scenario("without", "Has none.", prompt="Go.")
    done = record(subject, scenarios=[with_them, without], progress=silent, allow_managed=True)
    assert (done.faults, done.skipped) == ({}, {})
    *own, first, second, third = done.captures
    assert [json.loads(each.run.stdout) for each in own] == [
        {"protocol": "grpc"},
        {"protocol": "http/json"},
    ]
    assert {each.run.stdout for each in (first, second, third)} == {"nothing\n"}
    last = max(each.run.ended_unix_nano for each in (first, second, third))
    assert last <= own[0].run.started_unix_nano
    assert own[0].run.ended_unix_nano <= own[1].run.started_unix_nano
    assert not folder.exists()
