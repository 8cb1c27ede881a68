"""Lies about the servers, skills and subagents of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.events import Edit, adding, edited, setting

Lie = Callable[[Capture, Requirement], Capture]

_CONNECTED = {"event.name": "mcp_server_connection", "status": "connected"}
_DISCONNECTED = {"event.name": "mcp_server_connection", "status": "disconnected"}
_SKILL = {"event.name": "skill_activated"}
_SUBAGENT = {"event.name": "subagent_completed"}

#: A quarter of an hour in milliseconds, which no session takes.
_LONG_MS = 900_000


def _lie(name: str, what: str, wanted: Mapping[str, str], edit: Edit) -> Lie:
    def lie(capture: Capture, requirement: Requirement) -> Capture:
        return edited(capture, wanted, edit)

    lie.__name__, lie.__doc__ = name, what
    return lie


_LIES = (
    _lie("connection_not_logged", "Log no connection.", _CONNECTED, editing.remove),
    _lie("connection_logged_twice", "Log a connection twice.", _CONNECTED, editing.repeat),
    _lie("disconnection_not_logged", "Log no end of it.", _DISCONNECTED, editing.remove),
    _lie("disconnection_logged_twice", "Log its end twice.", _DISCONNECTED, editing.repeat),
    _lie(
        "connection_in_seconds",
        "Tell how long connecting took in seconds.",
        _CONNECTED,
        setting("duration_ms", 0),
    ),
    _lie(
        "connection_in_microseconds",
        "Tell how long connecting took in microseconds.",
        _CONNECTED,
        setting("duration_ms", _LONG_MS),
    ),
    _lie(
        "another_server_name",
        "Name a server that is not configured.",
        _CONNECTED,
        setting("server_name", "something-else"),
    ),
    _lie("skill_not_logged", "Log no use of a skill.", _SKILL, editing.remove),
    _lie("skill_logged_twice", "Log the use of a skill twice.", _SKILL, editing.repeat),
    _lie(
        "skill_name_shown",
        "Give the name of a skill that is to be hidden.",
        _SKILL,
        setting("skill.name", "practise"),
    ),
    _lie(
        "another_skill_name",
        "Name a skill that was not used.",
        _SKILL,
        setting("skill.name", "custom_skill"),
    ),
    _lie("subagent_not_logged", "Log no subagent.", _SUBAGENT, editing.remove),
    _lie("subagent_logged_twice", "Log a subagent twice.", _SUBAGENT, editing.repeat),
    _lie(
        "another_agent_type",
        "Hide the type of a subagent that is to be shown.",
        _SUBAGENT,
        setting("agent_type", "custom"),
    ),
    _lie(
        "agent_type_shown",
        "Give the type of a subagent that is to be hidden.",
        _SUBAGENT,
        setting("agent_type", "helper"),
    ),
    _lie(
        "fewer_tokens",
        "Leave out some of a subagent's tokens.",
        _SUBAGENT,
        adding("total_tokens", -20),
    ),
    _lie("subagent_token_more", "Count one token more.", _SUBAGENT, adding("total_tokens", 1)),
    _lie("one_tool_more", "Count one tool more.", _SUBAGENT, adding("total_tool_uses", 1)),
    _lie(
        "subagent_in_seconds",
        "Tell the time of a subagent in seconds.",
        _SUBAGENT,
        setting("duration_ms", 0),
    ),
    _lie(
        "subagent_in_microseconds",
        "Tell the time of a subagent in microseconds.",
        _SUBAGENT,
        setting("duration_ms", _LONG_MS),
    ),
    _lie(
        "another_model",
        "Name the model of a subagent by an alias.",
        _SUBAGENT,
        setting("model", "haiku"),
    ),
    _lie(
        "another_final_model",
        "Name another model as the last one of a subagent.",
        _SUBAGENT,
        setting("final_model", "haiku"),
    ),
)

LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in _LIES}
