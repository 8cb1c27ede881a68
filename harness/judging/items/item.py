"""The item: one thing that a check looks at, and where it is in the capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kind of thing that an item describes."""

    METRIC = "metric"
    """One data point of a metric."""
    EVENT = "event"
    SPAN = "span"
    RESOURCE = "resource"
    SCOPE = "scope"
    EXPORT = "export"
    """One request as a whole."""
    MEASURED = "measured"
    """Whatever a measure makes of a run."""


#: What the selectors of every data point, event or span select.
EVERY: Mapping[str, Kind] = {"metrics": Kind.METRIC, "events": Kind.EVENT, "spans": Kind.SPAN}


@dataclass(frozen=True, slots=True)
class Item:
    """One selected thing: ``view`` is judged by JSON Schemas, ``where`` says where it is.

    ``unseen`` are paths to fields that the item's source cannot show (the console prints no
    temporality): they count neither as present nor as missing. ``kind`` says what the view
    describes.
    """

    where: str
    view: Mapping[str, Any] = field(repr=False)
    unseen: frozenset[tuple[str, ...]] = frozenset()
    kind: Kind = Kind.MEASURED

    @property
    def time_unix_nano(self) -> int:
        """The time of the item; the start time of a span."""
        name = "start_time_unix_nano" if self.kind is Kind.SPAN else "time_unix_nano"
        return int(self.view[name])

    def at(self, path: tuple[str, ...]) -> Any:
        """Return the field at ``path``, or :data:`MISSING`."""
        value: Any = self.view
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                return MISSING
            value = value[step]
        return value


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


#: What :meth:`Item.at` answers where there is no such field.
MISSING = _Missing()
