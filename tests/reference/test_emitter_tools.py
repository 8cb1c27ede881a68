"""The emitter's tools and what is told of them: notebooks, skills, MCP servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.errors import SubjectError
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.otlp.model import Protocol
from harness.running.recorder import run_session
from harness.subject.binary import resolve
from harness.subject.headless import PERMISSIONS

pytestmark = pytest.mark.slow

FEBRUARY = "2.1.31"
AUGUST = "2.1.240"
#: Names that requests are attributed to are told with OTEL_LOG_TOOL_DETAILS=1.
OCTOBER = "2.1.296"
OPEN = {"OTEL_LOG_TOOL_DETAILS": "1"}
EVERYTHING = ("--permission-mode", "bypassPermissions")

FIRST = {
    "cell_type": "code",
    "execution_count": 3,
    "id": "first",
    "metadata": {},
    "outputs": [{"name": "stdout", "output_type": "stream", "text": ["1\n"]}],
    "source": ["a = 1\n", "print(a)"],
}
SECOND = {"cell_type": "markdown", "id": "second", "metadata": {}, "source": "Größe"}
NOTEBOOK = {
    "cells": [FIRST, SECOND],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}

SERVER = """
import os
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")

@server.tool()
def order(what: str) -> str:
    if what == "nothing":
        raise ValueError("there is none")
    inherited = [name for name in os.environ if name.startswith("OTEL_")]
    return f"{what} for {os.environ['CUSTOMER']}, {len(inherited)}"

server.run()
"""


def session(
    script: Sequence[Step],
    *,
    version: str = AUGUST,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    args: Sequence[str] = EVERYTHING,
) -> Capture:
    capture = run_session(
        resolve(f"reference:{version}", progress=print),
        prompt="Please use the tools",
        # Absolute, so that changed lines are counted on our side, too.
        script=lambda work: [*(_absolute(step, work) for step in script), Say("done")],
        protocol=Protocol.HTTP_PROTOBUF,
        env=env,
        files=files,
        args=args,
    )
    assert capture.run.stderr == ""
    assert capture.rejected == ()
    return capture


def _absolute(step: Step, work: Path) -> Step:
    if isinstance(step, UseTool) and "notebook_path" in step.input:
        path = str(work / str(step.input["notebook_path"]))
        return UseTool(step.name, {**step.input, "notebook_path": path})
    return step


def notebook(**changed: object) -> UseTool:
    given = {"notebook_path": "n.ipynb", "cell_id": "first", "new_source": "a = 2\n"}
    return UseTool("NotebookEdit", {**given, **changed})


def edited(edit: UseTool, tmp_path: Path) -> tuple[Capture, dict[str, list[dict[str, object]]]]:
    """The session, and the notebook as it left it."""
    text = json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n"
    kept = tmp_path / "kept.ipynb"
    keep = UseTool("Bash", {"command": f"cp n.ipynb {kept}"})
    capture = session([edit, keep], files={"n.ipynb": text})
    return capture, json.loads(kept.read_text(encoding="utf-8"))


def test_a_cell_is_replaced(tmp_path: Path) -> None:
    capture, after = edited(notebook(new_source="a = 2\nprint(a)\nprint(a)\n"), tmp_path)

    first, second = after["cells"]
    assert first["source"] == ["a = 2\n", "print(a)\n", "print(a)\n"]
    assert (first["outputs"], first["execution_count"]) == ([], None)
    assert second == SECOND
    truth = capture.run.truth
    assert truth.lines_added > 0
    for kind, lines in (("added", truth.lines_added), ("removed", truth.lines_removed)):
        (point,) = capture.data_points("claude_code.lines_of_code.count", type=kind)
        assert point.value == lines
    (decision,) = capture.data_points("claude_code.code_edit_tool.decision")
    assert decision.attributes["tool_name"] == "NotebookEdit"
    assert decision.attributes["language"] == "unknown"


def test_the_form_of_a_cell_is_kept(tmp_path: Path) -> None:
    _, after = edited(notebook(cell_id="second", new_source="x\ny\n"), tmp_path)

    assert after["cells"][1]["source"] == "x\ny\n"


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"edit_mode": "delete"}, ["second"]),
        ({"edit_mode": "insert", "cell_type": "markdown"}, ["first", None, "second"]),
        ({"edit_mode": "insert", "cell_id": None}, [None, "first", "second"]),
    ],
)
def test_cells_come_and_go(
    changes: dict[str, object], ids: list[str | None], tmp_path: Path
) -> None:
    _, after = edited(notebook(**changes), tmp_path)

    known = [cell["id"] if cell["id"] in ("first", "second") else None for cell in after["cells"]]
    assert known == ids


@pytest.mark.parametrize(
    ("use", "error_type"),
    [
        (notebook(cell_id="third"), "ToolError"),
        (notebook(edit_mode="swap"), "InputValidationError"),
        (notebook(notebook_path="text.py"), "ToolError"),
        (notebook(notebook_path="missing.ipynb"), "Error:ENOENT"),
        (UseTool("Read", {"file_path": "missing.txt"}), "Error:ENOENT"),
        (
            UseTool("Edit", {"file_path": "text.py", "old_string": "absent", "new_string": ""}),
            "ToolError",
        ),
        (UseTool("Skill", {"skill": "unknown"}), "ToolError"),
        (UseTool("Skill", {"skill": "../skills/greet"}), "ToolError"),
    ],
)
def test_failures(use: UseTool, error_type: str) -> None:
    files = {"n.ipynb": json.dumps(NOTEBOOK), "text.py": "x = 1\n"}
    capture = session([use], files=files)

    (event,) = capture.events("tool_result")
    assert (event.attributes["success"], event.attributes["error_type"]) == ("false", error_type)
    assert [run.ok for run in capture.run.truth.tool_runs] == [False]


SKILL = {".claude/skills/greet/SKILL.md": "---\nname: greet\n---\n\nSay hello.\n"}


@pytest.mark.parametrize("key", ["skill", "command"])
def test_a_skill_is_attributed_while_it_is_active(key: str) -> None:
    capture = session(
        [UseTool("Skill", {key: "greet"}), UseTool("Bash", {"command": "true"})],
        files=SKILL,
        env=OPEN,
    )

    (result,) = capture.events("tool_result", tool_name="Skill")
    assert result.attributes["tool_result_size_bytes"] == len("Say hello.")
    (decision,) = capture.events("tool_decision", tool_name="Skill")
    for event in (result, decision):
        assert json.loads(str(event.attributes["tool_parameters"])) == {"skill_name": "greet"}
    names = [event.attributes.get("skill.name") for event in capture.events("api_request")]
    assert names == [None, "greet", "greet"]
    active = capture.data_points("claude_code.token.usage", **{"skill.name": "greet"})
    billed = [call.input_tokens for call in capture.run.truth.api_calls]
    assert sum(p.value or 0 for p in active if p.attributes["type"] == "input") == sum(billed[1:])


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_a_skill_is_not_named_behind_the_gate(version: str) -> None:
    capture = session([UseTool("Skill", {"skill": "greet"})], files=SKILL, version=version)

    for event in (*capture.events("tool_result"), *capture.events("tool_decision")):
        assert event.attributes["tool_name"] == "Skill"
        assert "tool_parameters" not in event.attributes


def order(what: str) -> UseTool:
    return UseTool("mcp__shop__order", {"what": what})


@pytest.fixture
def servers(tmp_path: Path) -> str:
    path = tmp_path / "shop.py"
    path.write_text(SERVER, encoding="utf-8")
    server = {"command": sys.executable, "args": [str(path)], "env": {"CUSTOMER": "Ada"}}
    return json.dumps({"mcpServers": {"shop": server}})


@pytest.mark.parametrize("gate", ["", "1"])
@pytest.mark.parametrize("version", [FEBRUARY, AUGUST, OCTOBER])
def test_mcp_tools(version: str, gate: str, servers: str) -> None:
    # Asked for between two others: only the requests that take its results are told apart.
    script: list[Step] = [UseTool("Bash", {"command": "true"}), order("tea"), order("nothing")]
    script.append(UseTool("Bash", {"command": "true"}))
    capture = session(
        script,
        version=version,
        env={"OTEL_LOG_TOOL_DETAILS": gate},
        args=(*PERMISSIONS[:-1], "Bash,mcp__shop__order", "--mcp-config", servers),
    )

    assert [run.ok for run in capture.run.truth.tool_runs] == [True, True, False, True]
    results = capture.events("tool_result", tool_name="mcp_tool")
    events = (*results, *capture.events("tool_decision", tool_name="mcp_tool"))
    assert [event.attributes["event.name"] for event in events] == [
        "tool_result",
        "tool_result",
        "tool_decision",
        "tool_decision",
    ]
    named = {"mcp_server_name": "shop", "mcp_tool_name": "order"}
    for event in events:
        names_server = gate and (event in results or version != FEBRUARY)
        parameters = event.attributes.get("tool_parameters")
        assert parameters == (json.dumps(named, separators=(",", ":")) if names_server else None)
    requests = capture.events("api_request")
    names = [event.attributes.get("mcp_server.name") for event in requests]
    if version == FEBRUARY:
        assert set(names) == {None}
        return
    server, tool = ("shop", "order") if gate and version == OCTOBER else ("custom", "custom")
    assert names == [None, None, server, server, None]
    assert {event.attributes["mcp_server_scope"] for event in results} == {"dynamic"}
    # What OpenTelemetry reads does not reach a server.
    assert results[0].attributes["tool_result_size_bytes"] == len("tea for Ada, 0")
    sources = [event.attributes["tool_source"] for event in capture.events("tool_decision")]
    assert sources == ["builtin", "mcp", "mcp", "builtin"]
    taken = capture.data_points("claude_code.cost.usage", **{"mcp_tool.name": tool})
    assert sum(point.value or 0 for point in taken) > 0
    if gate:
        assert results[1].attributes["error"] == "Error executing tool order"
        assert results[0].attributes["tool_input"] == '{"what":"tea"}'
    else:
        assert "shop" not in str([event.attributes for event in capture.events()])


def test_mcp_from_a_file_and_by_the_name_of_the_server(servers: str) -> None:
    capture = session(
        [order("tea")],
        files={"servers.json": servers},
        args=("--allowedTools", "mcp__shop", "--mcp-config", "servers.json"),
    )

    assert [run.ok for run in capture.run.truth.tool_runs] == [True]


def test_mcp_needs_a_permission(servers: str) -> None:
    script: list[Step] = [order("tea"), UseTool("mcp__shop__unknown", {}, offered=False)]
    capture = session(script, args=("--mcp-config", servers))

    assert [run.ok for run in capture.run.truth.tool_runs] == [False, False]
    (decision,) = capture.events("tool_decision")
    assert (decision.attributes["decision"], decision.attributes["source"]) == ("reject", "config")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"mcpServers": {"a": {"command": "/no/such/server"}}}', "server a"),
        ('{"mcpServers": {"a": {"url": "http://127.0.0.1"}}}', "server a without command"),
        ("missing.json", "missing.json"),
    ],
)
def test_bad_servers_are_named(config: str, message: str) -> None:
    with pytest.raises(SubjectError, match="exit code 1") as caught:
        session([], args=("--mcp-config", config))

    assert "option --mcp-config" in str(caught.value)
    assert message in str(caught.value)


AGENTS = '{"helper": {"description": "helps", "prompt": "Help.", "model": "haiku"}}'


@pytest.mark.parametrize(("kind", "agent_name"), [("helper", "custom"), (None, "general-purpose")])
@pytest.mark.parametrize("name", ["Task", "Agent"])
def test_a_subagent(name: str, kind: str | None, agent_name: str) -> None:
    asked = {"prompt": "help me", **({"subagent_type": kind} if kind else {})}
    capture = session([UseTool(name, asked)], env=OPEN, args=(*EVERYTHING, "--agents", AGENTS))

    main, helping, last = capture.run.truth.api_calls
    assert [call.auxiliary for call in (main, helping, last)] == [False, True, False]
    assert ("haiku" in helping.model) == (kind == "helper")
    (points,) = [
        capture.data_points("claude_code.token.usage", query_source="subagent", type="input")
    ]
    assert [(p.value, p.attributes["agent.name"]) for p in points] == [
        (helping.input_tokens, agent_name)
    ]
    events = capture.events("api_request")
    assert [event.attributes["query_source"] for event in events] == [
        "sdk",
        f"agent:{agent_name}",
        "sdk",
    ]
    (result,) = capture.events("tool_result", tool_name=name)
    parameters = json.loads(str(result.attributes["tool_parameters"]))
    assert parameters == {"subagent_type": kind or ""}


def test_a_subagent_that_nobody_knows() -> None:
    capture = session([UseTool("Task", {"prompt": "help", "subagent_type": "nobody"})])

    assert [run.ok for run in capture.run.truth.tool_runs] == [False]
    with pytest.raises(SubjectError, match="option --agents"):
        session([], args=("--agents", "[]"))


@pytest.mark.parametrize("rule", ["Bash(touch:*)", "Bash(touch *)", "Read,Bash(touch)"])
def test_what_is_forbidden_is_rejected(rule: str) -> None:
    script: list[Step] = [
        UseTool("Bash", {"command": command}) for command in ("touch x", "touched=1")
    ]
    args = ("--allowedTools", "Bash", "--disallowedTools", rule)
    capture = session(script, args=args)

    decided = [event.attributes["decision"] for event in capture.events("tool_decision")]
    assert decided == ["reject", "accept"]
    assert {event.attributes["source"] for event in capture.events("tool_decision")} == {"config"}


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_what_a_failing_command_prints_is_not_told(version: str) -> None:
    script: list[Step] = [UseTool("Bash", {"command": "printf 'se%s' cret; exit 3"})]
    capture = session(script, version=version, env=OPEN)

    (result,) = capture.events("tool_result")
    assert result.attributes["error"] == "Exit code 3"
    assert "secret" not in str([event.attributes for event in capture.events()])


@pytest.mark.parametrize("version", [FEBRUARY, AUGUST])
def test_a_prompt_is_measured_in_code_units(version: str) -> None:
    capture = run_session(
        resolve(f"reference:{version}", progress=print),
        prompt="Größe 🎉",
        script=[Fail(400, "enough", times=None)],
        protocol=Protocol.HTTP_JSON,
    )

    (event,) = capture.events("user_prompt")
    assert str(event.attributes["prompt_length"]) == "8"
