"""Lies about the servers, skills and subagents of a session."""

from __future__ import annotations

from collections.abc import Mapping

from ...mutants import editing
from ...mutants.events import Lie, adding, lie, setting

_CONNECTED = {"event.name": "mcp_server_connection", "status": "connected"}
_DISCONNECTED = {"event.name": "mcp_server_connection", "status": "disconnected"}
_SKILL = {"event.name": "skill_activated"}
_SUBAGENT = {"event.name": "subagent_completed"}

#: A quarter of an hour in milliseconds, which no session takes.
_LONG_MS = 900_000


_LIES = (
    lie("connection_not_logged", "Log no connection.", _CONNECTED, editing.remove),
    lie("connection_logged_twice", "Log a connection twice.", _CONNECTED, editing.repeat),
    lie("disconnection_not_logged", "Log no end of it.", _DISCONNECTED, editing.remove),
    lie("disconnection_logged_twice", "Log its end twice.", _DISCONNECTED, editing.repeat),
    lie(
        "connection_in_seconds",
        "Tell how long connecting took in seconds.",
        _CONNECTED,
        setting("duration_ms", 0),
    ),
    lie(
        "connection_in_microseconds",
        "Tell how long connecting took in microseconds.",
        _CONNECTED,
        setting("duration_ms", _LONG_MS),
    ),
    lie(
        "another_server_name",
        "Name a server that is not configured.",
        _CONNECTED,
        setting("server_name", "something-else"),
    ),
    lie("skill_not_logged", "Log no use of a skill.", _SKILL, editing.remove),
    lie("skill_logged_twice", "Log the use of a skill twice.", _SKILL, editing.repeat),
    lie(
        "skill_name_shown",
        "Give the name of a skill that is to be hidden.",
        _SKILL,
        setting("skill.name", "practise"),
    ),
    lie(
        "another_skill_name",
        "Name a skill that was not used.",
        _SKILL,
        setting("skill.name", "custom_skill"),
    ),
    lie("subagent_not_logged", "Log no subagent.", _SUBAGENT, editing.remove),
    lie("subagent_logged_twice", "Log a subagent twice.", _SUBAGENT, editing.repeat),
    lie(
        "another_agent_type",
        "Hide the type of a subagent that is to be shown.",
        _SUBAGENT,
        setting("agent_type", "custom"),
    ),
    lie(
        "agent_type_shown",
        "Give the type of a subagent that is to be hidden.",
        _SUBAGENT,
        setting("agent_type", "helper"),
    ),
    lie(
        "fewer_tokens",
        "Leave out some of a subagent's tokens.",
        _SUBAGENT,
        adding("total_tokens", -20),
    ),
    lie("subagent_token_more", "Count one token more.", _SUBAGENT, adding("total_tokens", 1)),
    lie("one_tool_more", "Count one tool more.", _SUBAGENT, adding("total_tool_uses", 1)),
    lie(
        "subagent_in_seconds",
        "Tell the time of a subagent in seconds.",
        _SUBAGENT,
        setting("duration_ms", 0),
    ),
    lie(
        "subagent_in_microseconds",
        "Tell the time of a subagent in microseconds.",
        _SUBAGENT,
        setting("duration_ms", _LONG_MS),
    ),
    lie(
        "another_model",
        "Name the model of a subagent by an alias.",
        _SUBAGENT,
        setting("model", "haiku"),
    ),
    lie(
        "another_final_model",
        "Name another model as the last one of a subagent.",
        _SUBAGENT,
        setting("final_model", "haiku"),
    ),
)

LIES: Mapping[str, Lie] = {each.__name__: each for each in _LIES}
