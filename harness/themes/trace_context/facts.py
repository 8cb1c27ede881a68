"""Tell where the trace of a caller goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import trace_context

#: Of these there is one each session, so that the span is named; the others race.
_ONE = ("interaction", "command")


def goes_on(capture: Capture) -> Iterator[Fact]:
    """Yield of whose trace each bearer is, and the span that it names."""
    for item in trace_context(capture):
        bearer, spans = item.view["bearer"], ", ".join(item.view["spans"])
        whose = "the caller's trace" if item.view["same_trace"] else "another trace"
        named = f", below {spans}" if bearer in _ONE else ""
        yield Fact(Topic.TRACE, f"context of {bearer}", f"in {whose}{named}")


FACTS = (goes_on,)
