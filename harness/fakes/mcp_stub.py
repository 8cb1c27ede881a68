"""An MCP server on stdio with one tool that works and one that fails.

It is a real server, on the official SDK. Run as a program:
``python mcp_stub.py SERVER TOOL ANSWER``. ``TOOL`` answers its
argument ``text`` with ``ANSWER``; ``TOOL_broken`` fails with ``ANSWER``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def name_of(server: str, tool: str, *, broken: bool = False) -> str:
    """Return the name by which the model must call the tool, in every release."""
    return f"mcp__{server}__{tool}{'_broken' if broken else ''}"


def configuration(server: str, tool: str, answer: str) -> str:
    """Return a value for ``--mcp-config`` that has this program as its only server."""
    command = {
        "command": sys.executable,
        "args": ["-I", str(Path(__file__).resolve()), server, tool, answer],
    }
    return json.dumps({"mcpServers": {server: command}})


def main() -> None:
    # Imported here: whoever only configures the server must not pay for its SDK.
    import asyncio

    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    server_name, tool, answer = sys.argv[1:]
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    }

    async def on_list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(name=name, description="A stub.", input_schema=schema)
                for name in (tool, f"{tool}_broken")
            ]
        )

    async def on_call_tool(context: Any, params: Any) -> types.CallToolResult:
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer)],
            is_error=params.name != tool,
        )

    server: Any = Server(
        server_name, version="1.0", on_list_tools=on_list_tools, on_call_tool=on_call_tool
    )

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(serve())


if __name__ == "__main__":
    main()
