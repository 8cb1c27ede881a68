"""Classify requests to the Messages API, and answer those that no script is for.

A CLI session is a main loop (a prompt, then tool results) and a varying number
of auxiliary calls: titles, command classification, token counting, suggestions,
subagents. Only the main loop may consume the script. Counting tools or looking at
``stream`` does not tell them apart in every release; the newest turn of a request does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Request = Mapping[str, Any]

_OLDER_USER_ID = re.compile(r"user_(\w+)_account_[\w-]*_session_([\w-]+)")

#: Said to every auxiliary call that asks for no particular shape.
AUXILIARY_TEXT = "ok"


def tool_results(request: Request) -> Iterator[tuple[str, bool, str | None]]:
    """Yield (tool_use_id, ok, text) of every tool result anywhere in the conversation.

    The text is None if the content is a list of blocks.
    """
    for message in _messages(request):
        for block in _blocks(message):
            if block.get("type") == "tool_result":
                content = block.get("content")
                yield (
                    str(block.get("tool_use_id")),
                    not block.get("is_error", False),
                    content if isinstance(content, str) else None,
                )


def prompts_in(request: Request, prompts: Collection[str]) -> list[str]:
    """Return those of ``prompts``, in their order, that are in the conversation's user messages."""
    texts = [text for message in _messages(request) for text in _texts(message)]
    return [prompt for prompt in prompts if any(prompt in text for text in texts)]


def is_missing(tool: str, result: str | None) -> bool:
    """Say whether the result of an MCP tool tells that the session does not have that tool."""
    return tool.startswith("mcp__") and "No such tool available" in (result or "")


def doubled_in(request: Request, prompts: Collection[str]) -> list[str]:
    """Return those of ``prompts`` that stand more than once in one text of a user message."""
    texts = [text for message in _messages(request) for text in _texts(message)]
    return [prompt for prompt in prompts if any(text.count(prompt) > 1 for text in texts)]


def is_main_loop(request: Request, prompts: Collection[str], our_tools: Collection[str]) -> bool:
    """Say whether a request belongs to the main loop of a session.

    It does if it has tools, and its newest turn is one of ``prompts`` or the result of a tool
    that the script requested (``our_tools`` are their ids).

    The newest turn is everything after the last assistant message: reminders, as
    further user or system messages, may follow the part that matters. An auxiliary call
    that copies the conversation and asks something of its own at the end, or that
    starts a conversation of its own, is not the main loop.
    """
    if not request.get("tools"):
        return False
    for message in _newest_turn(request):
        if any(prompt in text for text in _texts(message) for prompt in prompts):
            return True
        if any(block.get("tool_use_id") in our_tools for block in _blocks(message)):
            return True
    return False


def claims(request: Request) -> dict[str, Any]:
    """Return what a request says of its session and installation, and how the model is to work.

    The keys are fields of :class:`harness.capture.run.ApiCall`; what is not said is left out.
    Releases put both ids into ``metadata.user_id``: as JSON, or the older ones as
    ``user_<user>_account_<account>_session_<session>``.
    """
    said = {
        "effort": _mapping(request.get("output_config")).get("effort"),
        "speed": request.get("speed"),
    }
    text = str(_mapping(request.get("metadata")).get("user_id", ""))
    if older := _OLDER_USER_ID.fullmatch(text):
        said["user_id"], said["session_id"] = older.groups()
    else:
        try:
            ids = _mapping(json.loads(text))
        except ValueError:
            ids = {}
        said["user_id"], said["session_id"] = ids.get("device_id"), ids.get("session_id")
    return {name: value for name, value in said.items() if isinstance(value, str) and value}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def auxiliary_block(request: Request, tool_use_id: str) -> dict[str, object]:
    """Return a harmless content block as the answer to an auxiliary call.

    It fits the tool or the JSON Schema that the call demands; else it is a word of text.
    """
    choice = request.get("tool_choice") or {}
    if choice.get("type") == "tool":
        name = choice.get("name")
        schemas = [t.get("input_schema") for t in request.get("tools", ()) if t.get("name") == name]
        value = smallest_instance(schemas[0] or {}) if schemas else {}
        return {"type": "tool_use", "id": tool_use_id, "name": name, "input": value}
    wanted = (request.get("output_config") or {}).get("format") or request.get("output_format")
    if wanted and wanted.get("type") == "json_schema":
        return {"type": "text", "text": json.dumps(smallest_instance(wanted["schema"]))}
    return {"type": "text", "text": AUXILIARY_TEXT}


def smallest_instance(schema: Mapping[str, Any]) -> object:
    """Return a small value that fits a simple JSON Schema (type, enum, const, required)."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        properties = schema.get("properties", {})
        return {n: smallest_instance(properties.get(n, {})) for n in schema.get("required", ())}
    simple: dict[str, object] = {
        "string": AUXILIARY_TEXT,
        "boolean": False,
        "integer": 0,
        "number": 0,
        "array": [],
        "null": None,
    }
    return simple[kind]


def _newest_turn(request: Request) -> list[Mapping[str, Any]]:
    newest: list[Mapping[str, Any]] = []
    for message in reversed(_messages(request)):
        if message.get("role") == "assistant":
            break
        newest.append(message)
    return newest


def _messages(request: Request) -> list[Mapping[str, Any]]:
    return [m for m in request.get("messages", ()) if isinstance(m, Mapping)]


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return [b for b in content if isinstance(b, Mapping)] if isinstance(content, list) else []


def _texts(message: Mapping[str, Any]) -> list[str]:
    if message.get("role") != "user":
        return []
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [str(b.get("text", "")) for b in _blocks(message) if b.get("type") == "text"]
