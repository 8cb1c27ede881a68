"""What a scenario observes whose telemetry passes through a collector, and what was declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation

#: The outlets at which items come out as OTLP; of others, only the bytes are searched.
OTLP_OUTLETS = ("grpc", "http", "file")
#: The outlets at which metrics come out as series.
SERIES_OUTLETS = ("scrape", "write")


#: After so many seconds, whole ones, a downstream that refuses asks to be sent to again.
RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Change:
    """An intended change: an entry ``[[change]]`` of the file of declarations.

    ``number`` is its place in the file, from 1. Which fields have a meaning depends on ``kind``;
    ``schemas/collector_changes.schema.json`` says which. Empty selectors select everything;
    ``outlets`` are those at which the change is made.
    """

    number: int
    kind: str
    reason: str
    attribute: str = ""
    on: str = "item"
    to: str = ""
    value: object = None
    excepted: tuple[str, ...] = ()
    keep: bool = False
    by: str = ""
    ratio: float | None = None
    factor: float = 1.0
    signals: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.attribute, *self.metrics, *self.events, *self.spans)))
        return f"change {self.number}: {self.kind} {what or ' '.join(self.signals)}".strip()


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that must not come out: an entry ``[[must_not_come_out]]`` of the file.

    Either ``attribute`` is set, whose values are meant, or ``content``, a kind of private text.
    """

    number: int
    reason: str
    attribute: str = ""
    content: str = ""

    def __str__(self) -> str:
        return f"attribute {self.attribute}" if self.attribute else f"content {self.content}"


@dataclass(frozen=True, slots=True)
class Passing(Observation):
    """The outlets at which what was sent must come out, and what was declared about it.

    An outlet is named here even if nothing came out of it.
    """

    NAME: ClassVar[str] = "passing"

    outlets: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    duties: tuple[Duty, ...] = ()
