"""The conforming emitter against the contract: two readings of the same documents.

Whether all of both is kept over all protocols is tested where the lies are; here, what
happens on either side of a change.
"""

from __future__ import annotations

from dataclasses import fields, replace
from importlib import import_module

import pytest

from harness.contract.catalogue import Contract, load
from harness.contract.versions import Version
from harness.findings import Judged, Outcome
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge
from harness.otlp.model import Protocol
from harness.reference.additions import AddedEvent, Addition
from harness.reference.versions import Promises
from harness.running.recorder import record
from harness.subject.binary import resolve
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.folders import modules
from harness.themes.free_form.by_hand import by_hand

pytestmark = pytest.mark.slow

#: What tells the most in the shortest time: these take half a second together.
QUICK = ("working_day", "api_failures", "identity_included")

#: Everything about tools takes some seconds, and shows only where tools are concerned.
WITH_TOOLS = (*QUICK, "toolbox_open")
ABOUT_TOOLS = frozenset(
    {
        *("tool_parameters_gated", "tool_use_id", "decision_parameters", "message_ids", "august"),
        *("results_of_runs", "error_type", "agent_name", "mcp_scope", "names_attributed"),
        *("mcp_connections", "plugin_servers", "skills_activated", "skill_triggers"),
        *("subagents_completed", "final_model", "repository_settings_closed"),
    }
)

#: What these scenarios have no occasion for: a person at a terminal, other tools, hooks, canaries.
ELSEWHERE = (
    "events.api_request.agent_name.",
    "events.api_request_body.",
    "events.api_response_body.",
    "events.compaction.",
    "events.hook_",
    "events.mcp_server_connection.",
    "events.permission_mode_changed.",
    "events.plugin_loaded.",
    "events.skill_activated.",
    "events.subagent_completed.",
    "events.tool_decision.source.user_",
    "events.tool_result.mcp_server_scope.present",
    "hooks.",
    "metrics.code_edit_tool_decision.language_unknown",
    "metrics.code_edit_tool_decision.rejected",
    "privacy.",
)

#: A document begins here, and so do promises and ends of promises of it; the emitter goes on as
#: before, for releases that were measured do.
AS_BEFORE = Version(2, 1, 296)

#: One that is newer than every document.
NEWEST = Version(2, 1, 330)


def boundaries() -> dict[str, tuple[str, ...]]:
    """Every version in which something changes and the one before it, with what shows it."""
    found: dict[Version, set[str]] = {NEWEST: set(WITH_TOOLS)}
    for version in (replace(AS_BEFORE, patch=AS_BEFORE.patch - 1), AS_BEFORE):
        found[version] = set(WITH_TOOLS)
    for promise in fields(Promises):
        since = promise.metadata["since"]
        for version in (replace(since, patch=since.patch - 1), since):
            names = WITH_TOOLS if promise.name in ABOUT_TOOLS else QUICK
            found.setdefault(version, set()).update(names)
    with_events = {theme for theme, addition in added() if isinstance(addition, AddedEvent)}
    for theme, addition in added():
        since = Version.parse(addition.since)
        for version in (replace(since, patch=since.patch - 1), since):
            found.setdefault(version, set()).update(QUICK)
        if theme in with_events:
            found[since].update(scenarios_of(theme))
    return {str(version): tuple(sorted(found[version])) for version in sorted(found)}


def added() -> list[tuple[str, Addition]]:
    """The changes that themes add to the emitter, each after the package of its theme."""
    return [
        (module.__name__.rpartition(".")[0], addition)
        for module in modules("emitted")
        for addition in module.EMITTED
    ]


def scenarios_of(theme: str) -> set[str]:
    """The scenarios of a theme, which give an event of its own its occasion."""
    return {each.name for each in import_module(f"{theme}.scenarios").SCENARIOS}


def elsewhere(names: tuple[str, ...]) -> tuple[str, ...]:
    """The beginnings of the names for which the scenarios ``names`` have no occasion."""
    events = tuple(
        f"events.{addition.event}."
        for theme, addition in added()
        if isinstance(addition, AddedEvent) and not scenarios_of(theme) <= set(names)
    )
    return (*ELSEWHERE, *events)


def contract_for(version: Version) -> Contract:
    return load(version, checks=CHECKS, scenarios=SCENARIOS)


def outcomes_of(version: str, names: tuple[str, ...]) -> dict[str, Outcome]:
    """Outcome of every checked requirement that applies to ``version``, over one protocol."""
    binary = resolve(f"reference:{version}", progress=print)
    scenarios = [replace(SCENARIOS[name], protocols=(Protocol.HTTP_JSON,)) for name in names]
    recorded = record(binary, scenarios=scenarios, progress=print)
    assert recorded.faults == {}
    assert [capture.run.stderr for capture in recorded.captures] == [""] * len(names)
    contract = contract_for(Version.parse(version))
    views = [CaptureView(capture, MEASURES) for capture in recorded.captures]
    judge = Judge(contract, by_hand)
    return {
        requirement.name: judge.judge(requirement, views).outcome
        for requirement in contract.requirements
        if contract.applies(requirement)
    }


@pytest.mark.parametrize(("version", "names"), boundaries().items(), ids=boundaries())
def test_nothing_fails_on_either_side_of_a_change(version: str, names: tuple[str, ...]) -> None:
    outcomes = outcomes_of(version, names)

    judged = {name: each for name, each in outcomes.items() if isinstance(each, Judged)}
    contract = contract_for(Version.parse(version))
    everywhere = {
        each.name
        for each in contract.requirements
        if contract.applies(each) and not each.scenarios and not each.given
    }
    assert {
        each for each in everywhere - judged.keys() if not each.startswith(elsewhere(names))
    } == set()
    assert {name: each.findings for name, each in judged.items() if each.findings} == {}


def test_the_emitter_knows_of_every_change_that_the_contract_dates() -> None:
    """Else there would be a boundary that is not looked at."""
    known = {promise.metadata["since"] for promise in fields(Promises)}
    known |= {Version.parse(addition.since) for _, addition in added()} | {AS_BEFORE}
    dated = {
        version
        for requirement in contract_for(NEWEST).requirements
        for version in (requirement.versions.since, requirement.versions.until)
        if version is not None
    }
    assert dated
    assert sorted(map(str, dated - known)) == []
