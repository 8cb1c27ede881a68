"""MCP servers of ``--mcp-config``, called with the official SDK's stdio client.

The SDK is imported only by a session that has such a server: the import takes longer
than a whole session.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import UsageError
from . import tools
from .called import Called
from .client import ToolUse

if TYPE_CHECKING:
    from mcp import ClientSession

_OPTION = "option --mcp-config"
_EXPECTED = 'JSON (or a file) like {"mcpServers": {"NAME": {"command": "PATH", "args": []}}}'


class McpServers:
    """The running MCP servers of a session; their tools are ``mcp__SERVER__TOOL``.

    They run in ``context`` while the block lasts. Raises :class:`UsageError` if one does not start.
    """

    def __init__(self, configs: Sequence[str], context: tools.ToolContext, called: Called) -> None:
        self._context, self._called = context, called
        self._servers: dict[str, dict[str, Any]] = {}
        for config in configs:
            self._servers |= _read(config, context.folder)
        self._cleanup = contextlib.ExitStack()
        self._sessions: dict[str, ClientSession] = {}
        self._definitions: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        if not self._servers:
            return self
        from anyio.from_thread import start_blocking_portal

        with contextlib.ExitStack() as cleanup:
            self._portal = cleanup.enter_context(start_blocking_portal())
            for name, server in self._servers.items():
                started = time.monotonic()
                connected = self._portal.wrap_async_context_manager(self._connected(server))
                try:
                    session = cleanup.enter_context(connected)
                    listed = self._portal.call(session.list_tools)
                except Exception as error:  # the SDK documents none
                    raise UsageError(
                        _OPTION, seen=f"server {name}: {error!r}", expected="an MCP server"
                    ) from error
                elapsed_ms = round((time.monotonic() - started) * 1000)
                self._called.server("connected", name, elapsed_ms)
                cleanup.callback(self._called.server, "disconnected", name, elapsed_ms)
                self._sessions[name] = session
                self._definitions += [
                    {
                        "name": f"mcp__{name}__{tool.name}",
                        "description": tool.description or tool.name,
                        "input_schema": tool.input_schema,
                    }
                    for tool in listed.tools
                ]
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    @property
    def definitions(self) -> Sequence[dict[str, Any]]:
        """The tools, as a request to the Messages API lists them."""
        return self._definitions

    def exists(self, name: str) -> bool:
        return any(definition["name"] == name for definition in self._definitions)

    def run(self, name: str, tool_input: Mapping[str, Any]) -> tools.Result:
        """Call the tool ``name``.  Raises :class:`harness.reference.tools.ToolError`."""
        _, server, tool = name.split("__", 2)
        try:
            result = self._portal.call(self._sessions[server].call_tool, tool, dict(tool_input))
        except Exception as error:  # a lost connection, a malformed answer: none is documented
            raise tools.ToolError(f"MCP error: {error}") from error
        text = "\n".join(
            block.text if block.type == "text" else block.model_dump_json()
            for block in result.content
        )
        if result.is_error:
            raise tools.ToolError(text or "The tool failed.")
        return tools.Result(text, opened_pull_request=tools.opens_pull_request(tool, text))

    def asking(self, name: str) -> Callable[[ToolUse], str] | None:
        """Return a function that asks the tool ``name`` for a permission; None for no name."""
        if not name:
            return None

        def ask(use: ToolUse) -> str:
            question = {"tool_name": use.name, "input": use.input, "tool_use_id": use.tool_use_id}
            return self.run(name, question).text

        return ask

    @contextlib.asynccontextmanager
    async def _connected(self, server: Mapping[str, Any]) -> AsyncIterator[ClientSession]:
        from mcp import ClientSession, StdioServerParameters, stdio_client

        parameters = StdioServerParameters(
            command=server["command"],
            args=server.get("args", []),
            env={**self._context.environ, **server.get("env", {})},
            cwd=self._context.folder,
        )
        # What servers say on the side is not for the screen.
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            async with (
                stdio_client(parameters, errlog=nowhere) as (incoming, outgoing),
                ClientSession(incoming, outgoing) as session,
            ):
                await session.initialize()
                yield session


def _read(config: str, folder: Path) -> dict[str, dict[str, Any]]:
    try:
        inline = config.lstrip().startswith("{")
        text = config if inline else (folder / config).read_text(encoding="utf-8")
        servers = dict(json.loads(text)["mcpServers"])
    except OSError as error:
        raise UsageError(_OPTION, seen=str(error), expected=_EXPECTED) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(_OPTION, seen=repr(error), expected=_EXPECTED) from error
    for name, server in servers.items():
        if not isinstance(server, dict) or not isinstance(server.get("command"), str):
            raise UsageError(_OPTION, seen=f"server {name} without command", expected=_EXPECTED)
    return servers
