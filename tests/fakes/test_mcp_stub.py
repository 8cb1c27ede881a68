"""The stub MCP server, held to the official SDK as its client."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable

import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent

from harness.fakes import mcp_stub

DEADLINE_S = 60


def server() -> StdioServerParameters:
    """As a CLI reads it from its configuration."""
    configured = json.loads(mcp_stub.configuration("library", "find", "an answer: ü, 漢字"))
    assert list(configured) == ["mcpServers"]
    return StdioServerParameters(**configured["mcpServers"].pop("library"))


def speak(work: Callable[[ClientSession], Awaitable[None]]) -> None:
    async def run() -> None:
        # pytest's stderr has no descriptor to give to a child.
        with tempfile.TemporaryFile("w") as errors:
            async with (
                asyncio.timeout(DEADLINE_S),
                stdio_client(server(), errors) as (reading, writing),
                ClientSession(reading, writing) as session,
            ):
                result = await session.initialize()
                assert result.server_info.name == "library"
                await work(session)

    asyncio.run(run())


def test_two_tools_are_offered() -> None:
    async def work(session: ClientSession) -> None:
        tools = (await session.list_tools()).tools
        assert [tool.name for tool in tools] == ["find", "find_broken"]
        assert {tuple(tool.input_schema["required"]) for tool in tools} == {("text",)}

    speak(work)


@pytest.mark.parametrize(("tool", "fails"), [("find", False), ("find_broken", True)])
def test_a_tool_works_or_fails_with_the_answer(tool: str, fails: bool) -> None:
    async def work(session: ClientSession) -> None:
        result = await session.call_tool(tool, {"text": "a question"})
        assert isinstance(result, CallToolResult)
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert content.text == "an answer: ü, 漢字"
        assert bool(result.is_error) is fails

    speak(work)


def test_the_model_calls_the_tools_by_their_servers_name() -> None:
    assert mcp_stub.name_of("library", "find") == "mcp__library__find"
    assert mcp_stub.name_of("library", "find", broken=True) == "mcp__library__find_broken"
