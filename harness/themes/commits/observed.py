"""What the session with commits in every form observes besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Made(Observation):
    """The commits and pull requests that each form made: its name -> how many."""

    NAME: ClassVar[str] = "made"

    commits: Mapping[str, int]
    pull_requests: Mapping[str, int]
