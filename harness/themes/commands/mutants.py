"""Lies about the slash commands of a session."""

from __future__ import annotations

from collections.abc import Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants.events import Lie, edited, setting


def other_command_name(capture: Capture, requirement: Requirement) -> Capture:
    """Give a command of that source another name."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return edited(
        capture,
        {"command_source": str(where["source"])},
        setting("command_name", "something-else"),
    )


def other_skill_name(capture: Capture, requirement: Requirement) -> Capture:
    """Give a skill that a person called another name."""
    called = {"invocation_trigger": "user-slash"}
    return edited(capture, called, setting("skill.name", "something-else"))


LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in (other_command_name, other_skill_name)}
