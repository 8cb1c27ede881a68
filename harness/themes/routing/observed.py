"""What the scenarios about endpoints observe."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class ApiHeaders(Observation):
    """Requests to the Messages API: how many, and how many with headers for collectors."""

    api_requests: int
    with_otlp_headers: int
