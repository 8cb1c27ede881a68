"""What the scenarios about exporters observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from ...capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Scrape(Observation):
    """The last answer of the subject's Prometheus endpoint: its URL, time and content."""

    url: str
    unix_nano: int
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Endpoint(Observation):
    """Whether the subject ``served`` a Prometheus endpoint during the session."""

    served: bool
