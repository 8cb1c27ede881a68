"""What the session in a caller's trace observes besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class TraceContexts(Observation):
    """The W3C trace contexts that were handed on: to a command, and with requests to the model.

    ``added`` are the names of variables that the command had, and the session had not.
    """

    NAME: ClassVar[str] = "trace_contexts"

    to_command: str
    with_requests: tuple[str, ...]
    added: tuple[str, ...]
