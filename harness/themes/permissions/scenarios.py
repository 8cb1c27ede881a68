"""Every scenario of the theme."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...fakes import quick_mcp_stub
from ...fakes.script import Say, UseTool
from ...otlp.model import Protocol
from ...running.scenario import Scenario
from ...running.stage import Stage
from ...subject.process import Completed
from .observed import Answers

_SERVER, _TOOL = "keeper", "ask"

#: The kinds of answers. One that is not listed here fails.
_ANSWERS = {
    "allowed": quick_mcp_stub.ALLOW,
    "denied": json.dumps({"behavior": "deny", "message": "Not today."}),
    "no_json": "As you like.",
    "no_such_behaviour": json.dumps({"behavior": "perhaps"}),
}
_FAILED = "failed"

#: The documented words for who decided.
_DECIDED_BY = {"allowed": "user_temporary", "denied": "user_reject"}


def _prepare(stage: Stage) -> Sequence[str]:
    return (
        *("--mcp-config", quick_mcp_stub.configuration(_SERVER, _TOOL, _ANSWERS)),
        *("--strict-mcp-config", "--permission-prompt-tool"),
        quick_mcp_stub.name_of(_SERVER, _TOOL),
    )


def _observe(stage: Stage, completed: Completed) -> Answers:
    return Answers({run.tool_use_id: str(run.input["description"]) for run in stage.api.tool_runs})


PERMISSION_TOOL = Scenario(
    name="permission_tool",
    expected_s=1.9,
    description="A session without a terminal whose permissions a tool gives: it allows, denies, "
    "gives invalid answers, and fails",
    prompt="Ask before you touch anything.",
    script=(
        *(
            UseTool(
                "Bash",
                {"command": f"touch {answer}.txt", "description": answer},
                forbidden=answer != "allowed",
                decided_by=_DECIDED_BY.get(answer, ""),
            )
            for answer in (*_ANSWERS, _FAILED)
        ),
        Say("Touched what I may."),
    ),
    args=("--permission-mode", "default"),
    # Some releases otherwise ask the model before the MCP server has answered.
    environment={"MCP_CONNECTION_NONBLOCKING": "0"},
    prepare=_prepare,
    observe=_observe,
    traits=("a_permission_tool",),
    protocols=(Protocol.HTTP_PROTOBUF,),
)

SCENARIOS = (PERMISSION_TOOL,)
