"""What the sessions with bodies observe besides telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the API got it: the JSON text of its ``messages``, without thoughts.

    ``others`` are digests of its other parameters, by name.
    """

    request_id: str
    messages: str
    others: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bodies(Observation):
    """The requests of the main loop, and the files that the session wrote, by absolute path."""

    NAME: ClassVar[str] = "bodies"

    sent: tuple[Sent, ...]
    files: Mapping[str, str]
