"""What a run observes of the collector under test itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Restarts(Observation):
    """When the collector was down between its end and its next start, in Unix nanoseconds.

    After that, a counter may begin at zero again.
    """

    NAME: ClassVar[str] = "restarts"
    unix_nano: tuple[int, ...] = ()
