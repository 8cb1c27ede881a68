"""Tell what happens in an untrusted project before anybody trusts it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.capture.capture import Capture
from harness.drift.facts import Fact, Topic
from harness.themes.untrusted.measures import declined


def before_trust(capture: Capture) -> Iterator[Fact]:
    """Yield which collectors were reached before trust, and whether helper and model were."""
    for item in declined(capture):
        reached = ", ".join(item.view["reached"]) or "nobody"
        helper = "run" if item.view["helper_ran"] else "not run"
        model = "asked" if item.view["asked_model"] else "not asked"
        yield Fact(Topic.ROUTE, "connections before trust", f"to {reached}")
        yield Fact(Topic.ROUTE, "a project's headers helper before trust", helper)
        yield Fact(Topic.ROUTE, "the model before trust", model)


FACTS = (before_trust,)
