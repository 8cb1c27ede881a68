"""What the scenarios about settings observe."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class CommandEnvironment(Observation):
    """``passed_on``: variables of OpenTelemetry, or with a header's text, of a command."""

    passed_on: tuple[str, ...]
