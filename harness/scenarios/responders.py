"""Collectors that do not simply take what they get."""

from __future__ import annotations

from harness.capture.export import Export
from harness.collector.answer import Answer
from harness.otlp.model import Signal


class RefusesTheFirst:
    """503 (UNAVAILABLE) for the first request of each signal."""

    def __init__(self) -> None:
        self._seen: set[Signal | None] = set()

    def __call__(self, export: Export) -> Answer | None:
        if export.signal in self._seen:
            return None
        self._seen.add(export.signal)
        return Answer(http_status=503, grpc_code=14, message="not yet")
