"""Latencies: counted while they are measured, and as a record holds them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

#: Classes of latencies: so many between a latency and the tenfold of it.
_FINE, _COARSE = 200, 10
_LEAST_S = 1e-6


@dataclass(slots=True)
class Distribution:
    """Latencies, of which any number takes little memory: a percentile is exact to 1.2 %."""

    longest_s: float = 0.0
    _classes: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        """Count one latency; what is no time at all counts as a microsecond."""
        self._classes[math.floor(math.log10(max(seconds, _LEAST_S)) * _FINE)] += 1
        self.longest_s = max(self.longest_s, seconds)

    def join(self, other: Distribution) -> None:
        """Count everything that ``other`` has counted."""
        self._classes += other._classes
        self.longest_s = max(self.longest_s, other.longest_s)

    def __len__(self) -> int:
        return self._classes.total()

    def percentile(self, percent: float) -> float:
        """Return the seconds that so many percent of the latencies did not exceed; 0 of none."""
        wanted = len(self) * percent / 100
        passed = 0
        for number, count in sorted(self._classes.items()):
            passed += count
            if passed >= wanted:
                return min(10 ** ((number + 1) / _FINE), self.longest_s)
        return 0.0

    def histogram(self) -> tuple[Bar, ...]:
        """Return how many latencies are in each class that is not empty, the shortest first."""
        coarse: Counter[int] = Counter()
        for number, count in self._classes.items():
            coarse[number * _COARSE // _FINE] += count
        return tuple(
            Bar(round(1000 * 10 ** ((number + 1) / _COARSE), 6), count)
            for number, count in sorted(coarse.items())
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram: how many ``items`` took up to ``up_to_ms``.

    They took more than four fifths of that.
    """

    up_to_ms: float
    items: int

    @property
    def number(self) -> int:
        """The number of its class; the next class has the next number."""
        return round(math.log10(self.up_to_ms) * _COARSE)


@dataclass(frozen=True, slots=True)
class Latency:
    """The time that items of one signal took, from when they were sent until they came out.

    ``where`` names the scenario and the outlet.
    """

    where: str
    signal: str
    items: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    histogram: tuple[Bar, ...]

    @classmethod
    def of(cls, where: str, signal: str, measured: Distribution) -> Self:
        """Make it of what was measured."""
        p50, p90, p99 = (round(measured.percentile(each) * 1000, 3) for each in (50, 90, 99))
        longest = round(measured.longest_s * 1000, 3)
        return cls(where, signal, len(measured), p50, p90, p99, longest, measured.histogram())
