"""Report what a session calls upon, servers of MCP, skills and subagents, and its mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .attributes import Attributes
from .facts import MCP_SCOPE, Attribution
from .versions import Promises

_BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Called:
    """Logs what was called upon, as a release with these promises does.

    ``log`` takes the name of an event and its attributes; ``details``: OTEL_LOG_TOOL_DETAILS is
    set.
    """

    promises: Promises
    log: Callable[[str, Attributes], None]
    details: bool

    def server(self, status: str, name: str, elapsed_ms: int) -> None:
        """Report that a server of MCP was connected, in this time, or disconnected."""
        if not self.promises.mcp_connections:
            return
        event: Attributes = {
            "status": status,
            "transport_type": "stdio",
            "server_scope": MCP_SCOPE,
            "duration_ms": elapsed_ms,
        }
        if self.promises.plugin_servers:
            event["is_plugin"] = False
        if self.details:
            event["server_name"] = name
        self.log("mcp_server_connection", event)

    def skill(self, name: str, source: str) -> None:
        """Report that the model used a skill, which was found in ``source``."""
        if not self.promises.skills_activated:
            return
        event: Attributes = {"skill.name": name if self.details else "custom_skill"}
        if self.promises.skill_triggers:
            event["invocation_trigger"] = "claude-proactive"
        self.log("skill_activated", {**event, "skill.source": source})

    def mode(self, before: str, after: str) -> None:
        """Report that a person went on to another permission mode."""
        if self.promises.mode_changes:
            event: Attributes = {"from_mode": before, "to_mode": after, "trigger": "shift_tab"}
            self.log("permission_mode_changed", event)

    def subagent(
        self, attribution: Attribution, model: str, total_tokens: int, duration_ms: int
    ) -> None:
        """Report that a subagent has returned its result, after one request and no tools."""
        if not self.promises.subagents_completed:
            return
        built_in = attribution.agent == attribution.agent_called
        event: Attributes = {
            "agent_type": attribution.agent_called if self.details else attribution.agent,
            "agent.source": _BUILT_IN if built_in else "flagSettings",
            "is_built_in": built_in,
            "is_async": False,
            "total_tokens": total_tokens,
            "total_tool_uses": 0,
            "duration_ms": duration_ms,
            "model": model,
        }
        if self.promises.final_model:
            event |= {"final_model": model, "model_swapped": False}
        self.log("subagent_completed", event)
