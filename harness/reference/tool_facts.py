"""The attributes of events and spans that describe one use of a tool."""

from __future__ import annotations

from typing import Any

from . import tools
from .attributes import Attributes, compact_json
from .client import ToolUse
from .versions import Promises

_MCP = "mcp_tool"


def reported_name(use: ToolUse) -> str:
    """Return the name of the tool in telemetry; all tools of MCP servers have the same."""
    return _MCP if tools.is_mcp(use.name) else use.name


def origin(use: ToolUse) -> str:
    return "mcp" if tools.is_mcp(use.name) else "builtin"


def parameters(
    use: ToolUse, promises: Promises, *, details: bool, result: tools.Result | None = None
) -> Attributes:
    """Return ``tool_parameters``, if it is exported; ``details``: OTEL_LOG_TOOL_DETAILS is set.

    Names of servers, tools and skills have always needed that variable; Bash
    commands came to need it later.
    """
    if not details and (use.name != "Bash" or promises.tool_parameters_gated):
        return {}
    values = _parameters(use, promises, result)
    return {"tool_parameters": compact_json(values)} if values else {}


def span_details(use: ToolUse) -> Attributes:
    """Return the attributes of a tool's span that need OTEL_LOG_TOOL_DETAILS."""
    match use.name:
        case "Bash":
            return {"full_command": str(use.input.get("command", ""))}
        case "Skill":
            return {"skill_name": tools.skill_name(use.input)}
        case "Agent" | "Task":
            return {"subagent_type": str(use.input.get("subagent_type", ""))}
        case "Read" | "Edit" | "Write":
            return {"file_path": str(use.input.get("file_path", ""))}
    return {}


def _parameters(use: ToolUse, promises: Promises, result: tools.Result | None) -> dict[str, Any]:
    if tools.is_mcp(use.name):
        _, server, tool = use.name.split("__", 2)
        return {"mcp_server_name": server, "mcp_tool_name": tool}
    if use.name == "Skill":
        return {"skill_name": tools.skill_name(use.input)}
    if use.name in ("Agent", "Task") and promises.agent_parameters:
        return {"subagent_type": str(use.input.get("subagent_type", ""))}
    if use.name != "Bash":
        return {}
    command = str(use.input.get("command", ""))
    values: dict[str, Any] = {
        "bash_command": (command.split() or [""])[0],
        "full_command": command,
    }
    for name in ("timeout", "description"):
        if name in use.input:
            values[name] = use.input[name]
    if promises.august:
        values["dangerouslyDisableSandbox"] = use.input.get("dangerouslyDisableSandbox", False)
        if result is not None and result.committed:
            values["git_commit_id"] = result.committed[-1]
    else:
        values["sandbox"] = False
    return values
