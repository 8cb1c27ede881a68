"""What the sessions of the theme tell besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Mentioned(Observation):
    """How many things of each type the prompt mentioned that were there."""

    NAME: ClassVar[str] = "mentioned"

    there: Mapping[str, int]
