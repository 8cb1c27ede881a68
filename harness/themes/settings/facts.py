"""Tell what a command of the session inherits, and who was heard."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...drift.facts import NOTHING, Fact, Topic
from .measures import carried
from .observed import CommandEnvironment

#: The header by which each level of settings is told from the others.
_LEVEL = "x-level"


def inherited(capture: Capture) -> Iterator[Fact]:
    """Yield the variables that a command inherited, and that are meant for collectors."""
    seen = observed(capture.run, CommandEnvironment)
    if seen is not None:
        for name in seen.passed_on or (NOTHING,):
            yield Fact(Topic.INHERITED, "variables of a command", name)


def heard(capture: Capture) -> Iterator[Fact]:
    """Yield which collectors each signal reached in a session that settings configure."""
    if not capture.run.scenario.startswith("settings_"):
        return
    for item in carried(capture):
        signal, reached = item.view["signal"], item.view["reached"]
        yield Fact(Topic.ROUTE, f"{signal} by settings", f"to {', '.join(reached) or 'nobody'}")
        levels = item.view["headers"].get(_LEVEL)
        if signal == "all" and levels:
            value = ", ".join(level or "nobody" for level in levels)
            yield Fact(Topic.ROUTE, "headers by settings", f"of {value}")


FACTS = (inherited, heard)
