"""An MCP server on stdio with a tool and canned answers, which is there at once.

Importing the official SDK takes longer than some releases wait for a server, on a busy machine;
so this program speaks the few messages itself that such a session needs, with the standard library
alone. Run as a program: ``python quick_mcp_stub.py TOOL ANSWERS DEFAULT [BROKEN]``. ``ANSWERS`` is
JSON: from the description of a command that is asked about to the answer. ``DEFAULT`` answers
everything else; if it is empty, that is answered with an error. A second tool ``BROKEN`` answers
everything with ``DEFAULT`` as an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Stands for the answer of a permission tool that allows what it was asked about, as it is.
ALLOW = "allow"

_SCHEMA = {
    "type": "object",
    "properties": {"tool_name": {"type": "string"}, "input": {"type": "object"}},
}


def broken_of(tool: str) -> str:
    """Return the server's name of the tool that fails beside ``tool``."""
    return f"{tool}_broken"


def name_of(server: str, tool: str) -> str:
    """Return the name by which the tool is known to the CLI."""
    return f"mcp__{server}__{tool}"


def configuration(
    server: str,
    tool: str,
    answers: Mapping[str, str] | None = None,
    default: str = "",
    *,
    with_broken: bool = False,
) -> str:
    """Return a value for ``--mcp-config`` that has this program as its only server.

    ``with_broken``: it has a tool that fails, too (:func:`broken_of`).
    """
    broken = [broken_of(tool)] if with_broken else []
    program = str(Path(__file__).resolve())
    command = {
        "command": sys.executable,
        "args": ["-I", "-S", program, tool, json.dumps(answers or {}), default, *broken],
    }
    return json.dumps({"mcpServers": {server: command}})


def answer_to(
    answers: Mapping[str, str], default: str, arguments: Mapping[str, Any]
) -> tuple[str, bool]:
    """Return the answer to a call of the tool, and whether it is an error."""
    asked = arguments.get("input") or {}
    answer = answers.get(asked.get("description", ""), default)
    if answer == ALLOW:
        answer = json.dumps({"behavior": "allow", "updatedInput": asked})
    return answer or "nobody is there", not answer


def result_of(
    request: Mapping[str, Any],
    tool: str,
    answers: Mapping[str, str],
    default: str,
    *broken: str,
) -> dict[str, Any] | None:
    """Return the result of a request; None for a method that this server does not know."""
    parameters = request.get("params") or {}
    match request.get("method"):
        case "initialize":
            return {
                "protocolVersion": parameters["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "stub", "version": "1.0"},
            }
        case "ping":
            return {}
        case "tools/list":
            return {
                "tools": [
                    {"name": name, "description": "A stub.", "inputSchema": _SCHEMA}
                    for name in (tool, *broken)
                ]
            }
        case "tools/call":
            if parameters.get("name") in broken:
                text, is_error = default, True
            else:
                text, is_error = answer_to(answers, default, parameters.get("arguments") or {})
            return {"content": [{"type": "text", "text": text}], "isError": is_error}
    return None


def main() -> None:
    tool, answers, default, *broken = sys.argv[1:]
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue  # a notification
        result = result_of(request, tool, json.loads(answers), default, *broken)
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        if result is None:
            reply["error"] = {"code": -32601, "message": "no such method"}
        else:
            reply["result"] = result
        print(json.dumps(reply), flush=True)  # noqa: T201 - that is what it is for


if __name__ == "__main__":
    main()
