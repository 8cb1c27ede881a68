"""What is observed of a collector's series besides the series themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation
from ...exposition.scraped import Scraped


@dataclass(frozen=True, slots=True)
class SeriesRun(Observation):
    """Where the collector's series were looked for.

    ``outlets`` are the names of all outlets of the run, those at which nothing came out included.
    """

    NAME: ClassVar[str] = "series_run"
    outlets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scrapes(Observation):
    """The answers of the endpoint that was scraped, as they were served."""

    NAME: ClassVar[str] = "scrapes"
    scrapes: tuple[Scraped, ...] = ()
