"""Sizes, durations and parameters that events give of tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import Decision, GroundTruth, ToolRun
from harness.findings import Judged, NotExercised, Outcome
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

Ask = Callable[..., Outcome]


@pytest.fixture
def ask(judge: Judge, requirement: Require, viewer: Viewer) -> Ask:
    """Judge the field ``n`` of one event about one tool run; None: the event has none."""

    def asked(check: str, run: ToolRun, value: Any, **params: Any) -> Outcome:
        attributes = {"tool_name": run.name, "tool_use_id": run.tool_use_id}
        if value is not None:
            attributes["n"] = value
        view = viewer(
            events=[{"body": "claude_code.tool_result", "attributes": attributes}],
            truth=GroundTruth(tool_runs=(run,)),
        )
        asked = requirement(check, **{"name": "tool_result", "path": ("attributes", "n"), **params})
        outcome: Outcome = judge.judge(asked, [view]).outcome
        return outcome

    return asked


def ran(name: str = "Bash", ok: bool = True, **facts: Any) -> ToolRun:
    return ToolRun(name, "t1", facts.pop("input", {}), ok, **facts)


# --- input_size, result_size


@pytest.mark.parametrize(
    ("given", "right", "wrong"),
    [
        ({"command": "ls"}, 16, 17),  # {"command":"ls"}
        ({"command": "ls"}, "16", "15"),
        ({"a": [1, None]}, 14, 16),
        ({}, 2, 0),
        ({"command": 'say "hi"\n'}, 26, 23),
    ],
)
def test_input_size(
    ask: Ask, findings: Findings, given: object, right: object, wrong: object
) -> None:
    run = ran(input=given)
    assert findings(ask("input_size", run, right, tools=["Bash"])) == []
    assert len(findings(ask("input_size", run, wrong, tools=["Bash"]))) == 1
    assert len(findings(ask("input_size", run, "long", tools=["Bash"]))) == 1


def test_input_size_is_judged_on_ascii_of_the_tools_named(ask: Ask) -> None:
    assert isinstance(
        ask("input_size", ran(input={"command": "é"}), 1, tools=["Bash"]), NotExercised
    )
    assert isinstance(ask("input_size", ran(input={"a": "b"}), 1, tools=["Read"]), NotExercised)
    assert isinstance(ask("input_size", ran("mcp__a__b"), 2, tools=["mcp_tool"]), Judged)
    assert isinstance(ask("input_size", ran(), None, tools=["Bash"]), NotExercised)


@pytest.mark.parametrize(
    ("units", "value", "right"),
    [
        (True, 6, True),
        (True, 4, True),
        (True, 5, False),
        (None, 4, True),
        (False, 6, True),
        (False, "6", True),
        (False, 4, False),
    ],
)
def test_result_size(
    ask: Ask, findings: Findings, units: bool | None, value: object, right: bool
) -> None:
    run = ran(result_bytes=6, result_units=4)
    params = {} if units is None else {"units": units}
    outcome = ask("result_size", run, value, tools=["Bash"], **params)
    assert (findings(outcome) == []) is right


@pytest.mark.parametrize(
    "run",
    [
        ran(ok=False, result_bytes=6, result_units=6),
        ran("Read", result_bytes=6, result_units=6),
        ran(),
    ],
    ids=["it failed", "another tool", "no plain text"],
)
def test_which_results_have_no_size_to_judge(ask: Ask, run: ToolRun) -> None:
    assert isinstance(ask("result_size", run, 1, tools=["Bash"]), NotExercised)


# --- slept


@pytest.mark.parametrize(
    ("command", "took", "seen"),
    [
        ("sleep 1", 1000, []),
        ("sleep 1", 999, ["999 (integer)"]),
        ("sleep 0.25 && sleep 0.5", "750", []),
        ("sleep 0.25 && sleep 0.5", 749.5, ["749.5 (double)"]),
        ("sleep 1", 50_000, []),
    ],
)
def test_slept(ask: Ask, findings: Findings, command: str, took: object, seen: list[str]) -> None:
    assert findings(ask("slept", ran(input={"command": command}), took)) == seen


@pytest.mark.parametrize(
    ("command", "took"),
    [("ls", 0), ("oversleep 1", 0), ("sleep well", 0), ("sleep 1", None), ("sleep 1", "long")],
)
def test_what_tells_nothing_of_sleep(ask: Ask, command: str, took: object) -> None:
    outcome = ask("slept", ran(input={"command": command}), took)
    assert outcome == NotExercised("no event told of a command that slept")


# --- parameters

LS = {"command": "ls -l", "timeout": 5, "description": "List"}
REPEATED = {"bash_command": "ls", "full_command": "ls -l", "timeout": 5, "description": "List"}


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in REPEATED.items() if name != key}


@pytest.mark.parametrize(
    ("exported", "right"),
    [
        (REPEATED, True),
        (REPEATED | {"sandbox": True}, True),
        (without("timeout"), False),
        (without("description"), False),
        (without("bash_command"), False),
        (without("full_command"), False),
        (REPEATED | {"timeout": "5"}, False),
        (REPEATED | {"bash_command": "ls -l"}, False),
        ([REPEATED], False),
        ("{", False),
        (7, False),
    ],
)
def test_parameters_of_a_command(
    ask: Ask, findings: Findings, exported: object, right: bool
) -> None:
    value = exported if isinstance(exported, str | int) else json.dumps(exported)
    outcome = ask("parameters", ran(input=LS), value, tool="Bash")
    assert (findings(outcome) == []) is right


def test_only_the_keys_asked_for_and_given_are_wanted(ask: Ask, findings: Findings) -> None:
    bare = json.dumps({"bash_command": "ls", "full_command": "ls -l"})
    assert findings(ask("parameters", ran(input=LS), bare, tool="Bash", keys=[])) == []
    assert findings(ask("parameters", ran(input={"command": "ls -l"}), bare, tool="Bash")) == []
    assert len(findings(ask("parameters", ran(input=LS), bare, tool="Bash", keys=["timeout"]))) == 1


@pytest.mark.parametrize(
    ("run", "tool", "wanted"),
    [
        (
            ran("mcp__files__look"),
            "mcp_tool",
            {"mcp_server_name": "files", "mcp_tool_name": "look"},
        ),
        (ran("Skill", input={"skill": "tidy"}), "Skill", {"skill_name": "tidy"}),
    ],
)
def test_parameters_of_named_things(
    ask: Ask, findings: Findings, run: ToolRun, tool: str, wanted: dict[str, str]
) -> None:
    assert findings(ask("parameters", run, json.dumps(wanted), tool=tool)) == []
    for key in wanted:
        assert findings(ask("parameters", run, json.dumps(wanted | {key: "x"}), tool=tool))


def test_parameters_that_are_missing_are_a_finding(ask: Ask) -> None:
    outcome = ask("parameters", ran("mcp__files__look"), None, tool="mcp_tool")
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert finding.seen == "nothing"
    assert json.loads(finding.expected) == {"mcp_server_name": "files", "mcp_tool_name": "look"}
    assert isinstance(ask("parameters", ran(input=LS), "{}", tool="Skill"), NotExercised)


def test_a_decision_repeats_parameters_of_what_was_rejected_too(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings
) -> None:
    skill = {"skill": "tidy"}
    truth = GroundTruth(
        tool_runs=(ToolRun("Skill", "t1", skill, False),),
        decisions=(Decision("Skill", "t1", skill, False, "user_reject"),),
    )

    def seen(body: str, parameters: dict[str, str]) -> Outcome:
        attributes = {"tool_name": "Skill", "decision": "reject", "n": json.dumps(parameters)}
        view = viewer(events=[{"body": body, "attributes": attributes}], truth=truth)
        asked = requirement("parameters", name=body, path=("attributes", "n"), tool="Skill")
        outcome: Outcome = judge.judge(asked, [view]).outcome
        return outcome

    assert findings(seen("tool_decision", {"skill_name": "tidy"})) == []
    assert len(findings(seen("tool_decision", {"skill_name": "other"}))) == 1
    assert isinstance(seen("tool_result", {"skill_name": "other"}), NotExercised)


# --- input_repeated


@pytest.mark.parametrize(
    ("exported", "right"),
    [
        (LS, True),
        (LS | {"more": 1}, True),
        ({"command": "ls -l"}, False),
        (LS | {"timeout": 6}, False),
        ([LS], False),
        ("{", False),
    ],
)
def test_input_repeated(ask: Ask, findings: Findings, exported: object, right: bool) -> None:
    value = exported if isinstance(exported, str) else json.dumps(exported)
    assert (findings(ask("input_repeated", ran(input=LS), value)) == []) is right


def test_input_that_is_not_told_is_not_judged(ask: Ask) -> None:
    assert ask("input_repeated", ran(input=LS), None) == NotExercised(
        "no event tool_result carried attributes.n"
    )
