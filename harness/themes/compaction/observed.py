"""What the session with compactions observes besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Provoked(Observation):
    """How many compactions were provoked, by trigger; the full context had ``full_tokens``."""

    NAME: ClassVar[str] = "compactions"

    by_trigger: Mapping[str, int]
    full_tokens: int
