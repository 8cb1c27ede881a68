"""Lies about the slash commands of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...capture.capture import Capture
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import ExportLogsServiceRequest

Lie = Callable[[Capture, Requirement], Capture]


def other_command_name(capture: Capture, requirement: Requirement) -> Capture:
    """Give a command of that source another name."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return _renamed(capture, ("command_source", str(where["source"])), "command_name")


def other_skill_name(capture: Capture, requirement: Requirement) -> Capture:
    """Give a skill that a person called another name."""
    return _renamed(capture, ("invocation_trigger", "user-slash"), "skill.name")


def _renamed(capture: Capture, chosen: tuple[str, str], field: str) -> Capture:
    """Return ``capture`` with ``field`` of the last event changed that has the chosen value.

    Raises ValueError if there is none.
    """
    for export in reversed(capture.exports):
        message = copy_message(export)
        if not isinstance(message, ExportLogsServiceRequest):
            continue
        for ref in reversed(list(editing.item_refs(message))):
            if ref.item.view["attributes"].get(chosen[0]) == chosen[1]:
                editing.put(ref, ("attributes", field), "something-else")
                return instead(capture, export, rewritten(export, message))
    raise ValueError(f"{capture.run.label} logged nothing with {chosen[0]}={chosen[1]}")


LIES: Mapping[str, Lie] = {lie.__name__: lie for lie in (other_command_name, other_skill_name)}
