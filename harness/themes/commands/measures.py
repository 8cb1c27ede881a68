"""Measure which slash commands are told of, by which names."""

from __future__ import annotations

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from .observed import Typed


def commands(capture: Capture) -> list[Item]:
    """Return one item for each kind of slash command that was typed, but unknown ones.

    ``names`` are those that `user_prompt` events give to commands of that ``source``;
    ``activated`` those of the skills that `skill_activated` events say a person called.
    """
    typed = observed(capture.run, Typed)
    if typed is None or not capture.exports:
        return []
    prompts = [event.attributes for event in capture.events("user_prompt")]
    skills = [event.attributes for event in capture.events("skill_activated")]
    return [
        Item(
            f"{capture.run.label} · commands of source {source}",
            {
                "source": source,
                "names": sorted(
                    str(prompt.get("command_name"))
                    for prompt in prompts
                    if prompt.get("command_source") == source
                ),
                "activated": sorted(
                    str(skill.get("skill.name"))
                    for skill in skills
                    if skill.get("invocation_trigger") == "user-slash"
                ),
            },
        )
        for source in sorted(set(typed.commands.values()) - {"unknown"})
    ]


MEASURES = (commands,)
