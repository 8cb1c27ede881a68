"""What the sessions with slash commands observe besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Typed(Observation):
    """The slash commands that were given to the session: name -> where it comes from.

    That is ``builtin``, ``custom`` or ``unknown``.
    """

    NAME: ClassVar[str] = "commands"

    commands: Mapping[str, str]
