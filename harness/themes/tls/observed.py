"""What the scenarios about TLS observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class TlsCollectors(Observation):
    """The names of the run's collectors that speak TLS."""

    tls_collectors: tuple[str, ...]
