"""The MCP server with canned answers, as the official client sees it."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from harness.fakes.quick_mcp_stub import ALLOW, broken_of, configuration, name_of, result_of

ANSWERS = {"yes": ALLOW, "odd": "perhaps"}


def ask(default: str, *descriptions: str) -> list[tuple[str, bool]]:
    """Call the tool about each description; return what it says, and whether that is an error."""
    server = json.loads(configuration("keeper", "ask", ANSWERS, default))["mcpServers"]["keeper"]

    async def asking() -> list[tuple[str, bool]]:
        async with (
            stdio_client(StdioServerParameters(**server)) as (incoming, outgoing),
            ClientSession(incoming, outgoing) as session,
        ):
            await session.initialize()
            assert [tool.name for tool in (await session.list_tools()).tools] == ["ask"]
            results: list[Any] = [
                await session.call_tool("ask", {"input": {"description": description}})
                for description in descriptions
            ]
        return [(result.content[0].text, result.is_error) for result in results]

    return anyio.run(asking)


def test_the_tool_answers_by_what_it_is_asked_about() -> None:
    allowed = json.dumps({"behavior": "allow", "updatedInput": {"description": "yes"}})
    said = [(allowed, False), ("perhaps", False), ("nobody is there", True)]
    assert ask("", "yes", "odd", "unknown") == said


def test_a_default_answers_everything_else() -> None:
    assert ask("as ever", "unknown") == [("as ever", False)]
    assert name_of("keeper", "ask") == "mcp__keeper__ask"


def test_a_tool_that_fails_stands_beside_it() -> None:
    made = json.loads(configuration("keeper", "ask", default="ü, 漢字", with_broken=True))

    async def asking() -> tuple[list[str], list[Any]]:
        async with (
            stdio_client(StdioServerParameters(**made["mcpServers"]["keeper"])) as (coming, going),
            ClientSession(coming, going) as session,
        ):
            await session.initialize()
            names = [tool.name for tool in (await session.list_tools()).tools]
            return names, [await session.call_tool(name, {"text": "what?"}) for name in names]

    names, results = anyio.run(asking)
    assert names == ["ask", broken_of("ask")]
    assert [result.content[0].text for result in results] == ["ü, 漢字"] * 2
    assert [result.is_error for result in results] == [False, True]


@pytest.mark.parametrize("method", ["resources/list", "prompts/list"])
def test_what_it_does_not_know_has_no_result(method: str) -> None:
    assert result_of({"method": method}, "ask", {}, "") is None
