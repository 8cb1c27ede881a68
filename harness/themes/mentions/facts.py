"""Tell which mentions of a prompt are logged."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import mentions


def logged(capture: Capture) -> Iterator[Fact]:
    """Yield for each type of mention whether as many are logged as there were."""
    for item in mentions(capture):
        missing, extra = item.view["missing"], item.view["extra"]
        value = "fewer" if missing else "more" if extra else "as it was"
        yield Fact(Topic.ACCOUNTING, f"mentions of type {item.view['mention_type']}", value)


FACTS = (logged,)
