"""Tell which slash commands are told of, by which names."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...drift.facts import NOTHING, Fact, Topic
from .measures import commands
from .observed import Typed


def told(capture: Capture) -> Iterator[Fact]:
    """Yield by which names commands are told of, and how many prompts of them there are."""
    if observed(capture.run, Typed) is None:
        return
    for item in commands(capture):
        names = ", ".join(item.view["names"]) or NOTHING
        yield Fact(Topic.ACCOUNTING, f"commands of source {item.view['source']}", names)
        if item.view["source"] == "custom":
            activated = ", ".join(item.view["activated"]) or NOTHING
            yield Fact(Topic.ACCOUNTING, "skills that a person called", activated)
    prompts = len(capture.events("user_prompt"))
    yield Fact(Topic.ACCOUNTING, "prompts of four, three of which are commands", str(prompts))


FACTS = (told,)
