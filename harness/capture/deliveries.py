"""Find the requests that carry the same items: exports, and their retries.

Items are compared by their decoded content, not by the bytes of the request: a retry may have
another batch, or write the items in another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from ..otlp.model import Signal
from .export import Export


@dataclass(slots=True, eq=False)
class Delivery:
    """Items that came together for the first time, and every request with any of them."""

    collector: str
    signal: Signal | None
    items: int = 0
    attempts: list[Export] = field(default_factory=list)

    @property
    def pauses_s(self) -> list[float]:
        """How long after each request the next one came, in seconds."""
        return [
            (later.arrived_unix_nano - earlier.arrived_unix_nano) / 1e9
            for earlier, later in pairwise(self.attempts)
        ]


class Deliveries:
    """All deliveries so far, in order of their first attempt."""

    def __init__(self, exports: Iterable[Export] = ()) -> None:
        self.all: list[Delivery] = []
        self._known: dict[object, Delivery] = {}
        for export in exports:
            self.add(export)

    def add(self, export: Export) -> list[Delivery]:
        """Add an export; return the deliveries that it is an attempt of, the oldest first.

        If it carries anything new, the last of them is new. A request without items is no
        attempt.
        """
        deliveries: dict[Delivery, None] = {}
        fresh = Delivery(export.collector, export.signal)
        for item in export.items:
            key = (export.collector, item)
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = fresh
                fresh.items += 1
            deliveries[known] = None
        if fresh.items:
            self.all.append(fresh)
            deliveries[fresh] = deliveries.pop(fresh)
        for delivery in deliveries:
            delivery.attempts.append(export)
        return list(deliveries)
