"""What the scenarios about exporters observe."""

from __future__ import annotations

from dataclasses import dataclass

from harness.capture.observed import Observation


@dataclass(frozen=True, slots=True)
class Scrape(Observation):
    """The last answer of the subject's Prometheus endpoint: from where, when, and what."""

    url: str
    unix_nano: int
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Endpoint(Observation):
    """Whether a Prometheus endpoint ``served`` anything while the session lived."""

    served: bool
