"""One answer of an endpoint that is scraped, as it was served."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scraped:
    """What an endpoint answered: its URL, the time, and the text; ``problem`` if there was none."""

    url: str
    unix_nano: int
    content_type: str = ""
    text: str = ""
    problem: str = ""
