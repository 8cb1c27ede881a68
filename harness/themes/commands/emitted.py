"""What this theme adds to the conforming emitter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...reference.additions import AddedEvent, AddedFields, Logged
from ...reference.attributes import Attributes

_BUILT_IN = ("clear", "compact", "context", "cost")


def _named(logged: Logged) -> tuple[str, str]:
    """Return the name and the source of the command that a prompt begins with; empty for none."""
    match = re.match(r"/([\w-]+)", logged.prompt)
    name = match[1] if match else ""
    if name in _BUILT_IN:
        return name, "builtin"
    if name and (logged.folder / ".claude" / "commands" / f"{name}.md").is_file():
        return name, "custom"
    return "", ""


def _command(logged: Logged) -> Attributes:
    name, source = _named(logged)
    if not source:
        return {}
    shown = source == "builtin" or logged.settings.log_tool_details
    return {"command_name": name if shown else "custom", "command_source": source}


def _skill(logged: Logged) -> Iterator[Attributes]:
    name, source = _named(logged)
    if source == "custom":
        yield {
            "skill.name": name if logged.settings.log_tool_details else "custom_skill",
            "invocation_trigger": "user-slash",
            "skill.source": "projectSettings",
        }


EMITTED = (
    AddedFields("user_prompt", since="2.1.117", attributes=_command),
    AddedEvent("skill_activated", after="user_prompt", since="2.1.126", records=_skill),
)
