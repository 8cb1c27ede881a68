"""Which event tells of which tool: by the tool's id, or by name and order before ids were sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from harness.capture.run import Decision, ToolRun
from harness.judging.items.item import Item

_Tool = TypeVar("_Tool", ToolRun, Decision)

#: What every tool of an MCP server is called in events.
MCP_TOOL = "mcp_tool"

#: The subagent tool had two names.
_RENAMED = {"Agent": "Task"}


def reported_name(name: str) -> str:
    """Return the one name of a tool in telemetry, whatever the model called it by."""
    return MCP_TOOL if name.startswith("mcp__") else _RENAMED.get(name, name)


def paired(tools: Sequence[_Tool], items: Sequence[Item]) -> list[tuple[_Tool, Item]]:
    """Each tool with the event that tells of it; those without one are left out.

    Where no event has an id, and there is one for each tool, their order tells.
    """
    if len(tools) == len(items) and not any(_id(item) for item in items):
        ordered = sorted(items, key=lambda item: item.time_unix_nano)
        return list(zip(tools, ordered, strict=True))
    by_id = {_id(item): item for item in items}
    by_name: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if not _id(item):
            by_name[reported_name(str(item.view["attributes"].get("tool_name")))].append(item)
    pairs = []
    for tool in tools:
        waiting = by_name[reported_name(tool.name)]
        if tool.tool_use_id in by_id:
            pairs.append((tool, by_id[tool.tool_use_id]))
        elif waiting:
            pairs.append((tool, waiting.pop(0)))
    return pairs


def _id(item: Item) -> str | None:
    told = item.view["attributes"].get("tool_use_id")
    return told if isinstance(told, str) else None
