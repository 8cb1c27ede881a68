"""Sessions that use every kind of tool, with a canary in all that it touches.

The same session is run with the gates closed, each one open, and both open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...fakes import quick_mcp_stub
from ...fakes.quick_mcp_stub import broken_of, name_of
from ...fakes.script import Say, Step, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ..canaries import CANARIES

PROMPTS_GATE = "OTEL_LOG_USER_PROMPTS"
DETAILS_GATE = "OTEL_LOG_TOOL_DETAILS"

#: Letters of one, two and three bytes, and one of two UTF-16 code units: a length that
#: counts something else than the contract's unit cannot come out right.
PROMPT = f"Übe mit 漢字 und 😀: nutze jedes Werkzeug ({CANARIES['prompt']})."

_SERVER, _TOOL = CANARIES["mcp_server"], CANARIES["mcp_tool"]
_SKILL = CANARIES["skill_name"]
_HELPER_MODEL = "haiku"

_FILES = {
    "notes.md": f"milk\n{CANARIES['read_content']}\n{CANARIES['replaced_content']}\n",
    "output.txt": f"{CANARIES['command_output']}\n",
    "failed.txt": f"{CANARIES['failed_output']}\n",
}

_COLLECTOR_HEADER = "x-collector-token"
_HELPER_HEADER = "x-helper-token"

_ENVIRONMENT = {
    "OTEL_EXPORTER_OTLP_HEADERS": f"{_COLLECTOR_HEADER}={CANARIES['collector_header']}",
    # Spans are one more place where something may leak.
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
    "OTEL_TRACES_EXPORTER": "otlp",
    # Some releases otherwise ask the model before the MCP server has answered.
    "MCP_CONNECTION_NONBLOCKING": "0",
}


def _steps(work: Path) -> Sequence[Step]:
    notes = str(work / "notes.md")
    return (
        UseTool("Read", {"file_path": notes}),
        UseTool(
            "Edit",
            {
                "file_path": notes,
                "old_string": CANARIES["replaced_content"],
                "new_string": CANARIES["edited_content"],
            },
        ),
        UseTool(
            "Write",
            {
                "file_path": str(work / "new.py"),
                "content": f"x = '{CANARIES['written_content']}'\ny = 2",
            },
        ),
        UseTool(
            "Bash",
            {
                "command": f"sleep 0.3; cat output.txt # {CANARIES['command']}",
                "timeout": 20000,
                "description": "Wait a little",
                "dangerouslyDisableSandbox": True,
            },
        ),
        UseTool(
            "Bash",
            {"command": "cat failed.txt >&2; exit 3", "description": "Fail"},
        ),
        UseTool("Bash", {"command": "touch forbidden", "description": "Touch"}, forbidden=True),
        UseTool(
            "Bash",
            {
                "command": "git add new.py && git commit --quiet "
                f"--message 'Add {CANARIES['commit_message']}'",
                "description": "Commit",
            },
        ),
        UseTool(name_of(_SERVER, _TOOL), {"text": CANARIES["mcp_argument"]}),
        UseTool(name_of(_SERVER, broken_of(_TOOL)), {"text": "once more"}),
        UseTool("Skill", {"skill": _SKILL}),
        UseTool(
            "Task",
            {
                "description": "Look around",
                "prompt": f"Look around for {CANARIES['subagent_prompt']}.",
                "subagent_type": "helper",
                "run_in_background": False,
            },
        ),
        Say(f"All tools were used: {CANARIES['answer']}."),
    )


def _prepare(stage: Stage) -> Sequence[str]:
    sandbox = stage.sandbox
    folder = sandbox.home / ".claude" / "skills" / _SKILL
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(
        f"---\nname: {_SKILL}\ndescription: Practise.\n---\n{CANARIES['skill_body']}\n",
        encoding="utf-8",
    )
    if stage.protocol is not Protocol.GRPC:  # over gRPC there are static headers only
        helper = sandbox.root / "bin" / "headers-helper"
        answer = json.dumps({_HELPER_HEADER: CANARIES["helper_output"]})
        helper.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
        helper.chmod(0o755)
        settings = sandbox.home / ".claude" / "settings.json"
        settings.write_text(json.dumps({"otelHeadersHelper": str(helper)}), encoding="utf-8")
    agents = {
        "helper": {
            "description": "Looks around.",
            "prompt": "You look around.",
            "model": _HELPER_MODEL,
        }
    }
    answer = f"answer {CANARIES['mcp_result']}"
    configuration = quick_mcp_stub.configuration(_SERVER, _TOOL, default=answer, with_broken=True)
    return (
        *("--agents", json.dumps(agents)),
        *("--mcp-config", configuration, "--strict-mcp-config"),
        *("--disallowedTools", "Bash(touch:*)"),
    )


def _toolbox(
    name: str, description: str, gates: Mapping[str, str], protocols: Sequence[Protocol]
) -> Scenario:
    tools = ("Read", "Write", "Edit", "Bash", "Skill", "Task", "Agent")
    mcp = (name_of(_SERVER, _TOOL), name_of(_SERVER, broken_of(_TOOL)))
    return Scenario(
        name=name,
        expected_s=4.0,
        description=(
            f"{description}: Read, Edit, Write, Bash, a forbidden command, MCP, a skill and a "
            "subagent, with a canary in their inputs and outputs"
        ),
        prompt=PROMPT,
        script=_steps,
        environment={**_ENVIRONMENT, **gates},
        files=_FILES,
        args=("--permission-mode", "default", "--allowedTools", ",".join((*tools, *mcp))),
        prepare=_prepare,
        canaries=CANARIES,
        protocols=tuple(protocols),
    )


TOOLBOXES = (
    _toolbox("toolbox", "All gates closed", {}, tuple(Protocol)),
    _toolbox("toolbox_prompts", "Prompts are logged", {PROMPTS_GATE: "1"}, [Protocol.GRPC]),
    _toolbox(
        "toolbox_details", "Tool details are logged", {DETAILS_GATE: "1"}, [Protocol.HTTP_JSON]
    ),
    _toolbox(
        "toolbox_open",
        "Prompts and tool details are logged",
        {PROMPTS_GATE: "1", DETAILS_GATE: "1"},
        [Protocol.HTTP_PROTOBUF],
    ),
)
