"""Tell who carries the headers of a helper, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import helper_exports, helper_session

_ABOUT = "headers of the helper"


def carriers(capture: Capture) -> Iterator[Fact]:
    """Yield which signals carried the helper's headers, and how the helper was called.

    Whether it ran again in a session depends on how long that took.
    """
    for item in helper_exports(capture):
        carried = "carried" if item.view["carried"] else "not carried"
        protocol = capture.run.protocol.value
        yield Fact(Topic.ROUTE, _ABOUT, f"{carried} by {item.view['signal']} over {protocol}")
    for item in helper_session(capture):
        view = item.view
        if "arguments" in view:
            words = f"{len(view['arguments'])} arguments"
            yield Fact(Topic.CALLS, "command line of the helper", words)
        yield Fact(Topic.ENDING, "with a helper", "survived" if view["survived"] else "died")


def reports(capture: Capture) -> Iterator[Fact]:
    """Yield where a session speaks of its helper."""
    for item in helper_session(capture):
        for where, name in (("stderr", "reported"), ("the debug log", "logged")):
            value = "spoken of" if item.view[name] else "not spoken of"
            yield Fact(Topic.SAID, f"the helper on {where}", value)


FACTS = (carriers, reports)
