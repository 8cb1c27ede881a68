"""Tell by which way each target was reached, and what the proxy was asked for besides."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...drift.facts import Fact, Topic
from .measures import proxied
from .observed import Proxied


def ways(capture: Capture) -> Iterator[Fact]:
    """Yield for each target its way, and the forms of the requests that the proxy got for it."""
    protocol = capture.run.protocol.value
    for item in proxied(capture):
        view = item.view
        about = f"{view['target']} beside a proxy, {protocol}"
        yield Fact(Topic.ROUTE, about, view["way"])
        for form in view.get("forms", ()):
            yield Fact(Topic.ROUTE, about, f"asked for in the form: {form}")


def elsewhere(capture: Capture) -> Iterator[Fact]:
    """Yield what else the proxy was asked for."""
    seen = observed(capture.run, Proxied)
    if seen is not None:
        for target in {asked.target for asked in seen.asked} - {*seen.targets}:
            yield Fact(Topic.ROUTE, "asked of a proxy besides", target, raced=True)


FACTS = (elsewhere, ways)
