"""What the session with a permission tool observes besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Answers(Observation):
    """What the permission tool answered about each tool use: ``tool_use_id`` -> kind of answer."""

    NAME: ClassVar[str] = "permission_answers"

    given: Mapping[str, str]
