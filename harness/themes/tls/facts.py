"""Tell which collectors that speak TLS were reached, and what certificate they saw."""

from __future__ import annotations

from collections.abc import Iterator

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from .measures import tls, tls_api


def trusted(capture: Capture) -> Iterator[Fact]:
    """Yield for each collector that speaks TLS what it got, and which certificate it saw."""
    protocol = capture.run.protocol.value
    for item in tls(capture):
        view = item.view
        signals = ", ".join(sorted(view["signals"])) or "nothing"
        yield Fact(Topic.ROUTE, f"{view['collector']} over TLS and {protocol}", f"got {signals}")
        for name in view.get("certificates", ()):
            shown = f"showed {name or 'no certificate'}"
            yield Fact(Topic.ROUTE, f"{view['collector']} over TLS and {protocol}", shown)


def trusted_api(capture: Capture) -> Iterator[Fact]:
    """Yield whether the model's API was asked over TLS, and which certificate it saw."""
    for item in tls_api(capture):
        asked = "asked" if item.view["asked"] else "not asked"
        yield Fact(Topic.ROUTE, "the model over TLS", asked)
        for name in item.view.get("certificates", ()):
            shown = f"showed {name or 'no certificate'}"
            yield Fact(Topic.ROUTE, "the model over TLS", shown)


FACTS = (trusted, trusted_api)
