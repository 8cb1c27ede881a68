"""What the sessions in an untrusted project observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Declined(Observation):
    """What happened until trust was declined.

    ``helper_ran``: the headers helper that the project names was run; ``asked_model``: any request
    reached the API of the session's own environment.
    """

    NAME: ClassVar[str] = "declined"

    helper_ran: bool
    asked_model: bool
