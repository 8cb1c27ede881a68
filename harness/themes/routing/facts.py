"""Tell where each signal went and how, and what the model's API got that is meant for others."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...capture.observed import observed
from ...drift.facts import Fact, Topic
from .measures import routes
from .observed import ApiHeaders
from .scenarios import SCENARIOS

_OURS = frozenset(scenario.name for scenario in SCENARIOS)


def routed(capture: Capture) -> Iterator[Fact]:
    """Yield to which collector each signal went, by which protocol and path."""
    if capture.run.scenario not in _OURS or not capture.run.truth.api_calls:
        return
    sent = set()
    for item in routes(capture):
        view = item.view
        added = f", path + {view['added']!r}" if view.get("added") is not None else ""
        told = f"to {view['collector']} by {view['protocol']['used']}{added}"
        sent.add(view["signal"])
        yield Fact(Topic.ROUTE, view["signal"], told)
    for signal in {"metrics", "logs"} - sent:
        yield Fact(Topic.ROUTE, signal, "nowhere")


def told_to_the_api(capture: Capture) -> Iterator[Fact]:
    """Yield whether requests to the model's API carry headers that are meant for collectors."""
    headers = observed(capture.run, ApiHeaders)
    if headers is not None:
        value = "headers for collectors" if headers.with_otlp_headers else "nothing"
        yield Fact(Topic.INHERITED, "requests to the model", value)


FACTS = (routed, told_to_the_api)
