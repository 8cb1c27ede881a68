"""Tell what happens in an untrusted project before anybody trusts it."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import declined


def before_trust(capture: Capture) -> Iterator[Fact]:
    """Yield which collectors were reached before trust, and whether the helper was run.

    Whether a connection to the model is prepared meanwhile is a race.
    """
    for item in declined(capture):
        reached = ", ".join(item.view["reached"]) or "nobody"
        helper = "run" if item.view["helper_ran"] else "not run"
        yield Fact(Topic.ROUTE, "connections before trust", f"to {reached}")
        yield Fact(Topic.ROUTE, "a project's headers helper before trust", helper)


FACTS = (before_trust,)
