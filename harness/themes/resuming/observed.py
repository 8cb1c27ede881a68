"""What the sessions that go on with an earlier one observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Resumption(Observation):
    """The id of the earlier session, as that told the API."""

    NAME: ClassVar[str] = "resumption"

    earlier_session: str
