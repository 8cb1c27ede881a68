"""What the scenarios about settings observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class CommandEnvironment(Observation):
    """The variables that a command inherited but should not have.

    ``passed_on`` are the names of variables that are OpenTelemetry's, or hold a header's text.
    """

    passed_on: tuple[str, ...]
