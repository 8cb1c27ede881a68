"""What the scenarios about endpoints observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class ApiHeaders(Observation):
    """The number of requests to the Messages API, and of those with headers for collectors."""

    api_requests: int
    with_otlp_headers: int
