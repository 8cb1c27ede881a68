"""What the session at a terminal observes besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Switched(Observation):
    """Between which permission modes a person went on by Shift+Tab, as the screen showed."""

    NAME: ClassVar[str] = "switched"

    before: str
    after: str
