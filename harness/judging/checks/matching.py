"""Match tools with the events about them.

Events are matched by the tool's id, or by name and order in releases that send no ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from ...capture.run import Decision, ToolRun
from ..items.item import Item

_Tool = TypeVar("_Tool", ToolRun, Decision)

#: What every tool of an MCP server is called in events.
MCP_TOOL = "mcp_tool"

#: The subagent tool had two names.
_RENAMED = {"Agent": "Task"}


def reported_name(name: str) -> str:
    """Return the name under which a tool is reported in telemetry."""
    return MCP_TOOL if name.startswith("mcp__") else _RENAMED.get(name, name)


def paired(tools: Sequence[_Tool], items: Sequence[Item]) -> list[tuple[_Tool, Item]]:
    """Pair each tool with the event about it; leave out tools without one.

    Where no event has an id, and there are as many events as tools, they are paired in order.
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
    tool_use_id = item.view["attributes"].get("tool_use_id")
    return tool_use_id if isinstance(tool_use_id, str) else None
