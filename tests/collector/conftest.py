from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from harness import Collector
from harness.otlp.codec import encode
from harness.otlp.messages import REQUESTS, Encoding
from harness.otlp.model import Signal


class Body(Protocol):
    """Make an export request with a resource and no items, longer by ``padding`` bytes."""

    def __call__(self, signal: Signal, encoding: Encoding, padding: int = 0) -> bytes: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture
def small() -> Iterator[Collector]:
    """A collector that takes bodies of up to 100,000 bytes."""
    with Collector(max_body_bytes=100_000) as running:
        yield running


def _body(signal: Signal, encoding: Encoding, padding: int = 0) -> bytes:
    request = REQUESTS[signal]()
    groups = {
        Signal.METRICS: "resource_metrics",
        Signal.LOGS: "resource_logs",
        Signal.TRACES: "resource_spans",
    }
    group = getattr(request, groups[signal]).add()
    group.resource.attributes.add(key="service.name").value.string_value = "subject" + "x" * padding
    return encode(request, encoding)


@pytest.fixture
def body() -> Body:
    """``body(signal, encoding, padding=0)``: an export request with a resource and no items."""
    return _body
