"""What the sessions with mentions observe besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Mentioned(Observation):
    """How many existing files and folders the prompt mentioned, by type of mention."""

    NAME: ClassVar[str] = "mentioned"

    there: Mapping[str, int]
