"""What the scenarios about TLS observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class TlsCollectors(Observation):
    """The names of the run's collectors that speak TLS.

    ``api_certificates`` are the common names in the client certificates that the model's API was
    shown, the empty one for none; None for an API that speaks plain text.
    """

    tls_collectors: tuple[str, ...]
    api_certificates: tuple[str, ...] | None = None
