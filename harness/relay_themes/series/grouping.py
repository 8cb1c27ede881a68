"""Bring what was sent and the series that came out together, by the attributes that both have.

A relay may drop attributes, add labels of its own, or change values on purpose. Sums are the same
all the same, so they are compared by those attributes alone of which the values came through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...exposition.translation import labels_of
from .totals import Series, Stream, Truth

#: Attributes that say who and where, not what: a sum is not told apart by them.
_IDENTITY = ("session.id", "user.", "organization.", "terminal.", "app.", "service.")


@dataclass(frozen=True, slots=True)
class Group:
    """What was sent of a metric with some values of its attributes, and the series with the same.

    ``by`` holds these values, of those attributes alone that tell sums apart.
    """

    by: Mapping[str, str]
    streams: tuple[Stream, ...]
    series: tuple[Series, ...]

    @property
    def sent(self) -> float:
        """The sum of what was sent."""
        return sum(stream.total for stream in self.streams)

    @property
    def seen(self) -> float:
        """The sum of what the series stand at."""
        return sum(each.total for each in self.series)

    @property
    def told(self) -> str:
        """The values as a text: ``model=…, type=input``."""
        return ", ".join(f"{key}={value}" for key, value in self.by.items())


def grouped(truth: Truth, series: Sequence[Series]) -> tuple[Group, ...]:
    """Return the groups of a metric; ``series`` are all those under the metric's names.

    Each series is in one group: one whose values were never sent makes a group without streams.
    """
    keys = [key for key in varying(truth.streams) if not key.startswith(_IDENTITY)]
    if series:
        keys = [key for key in keys if kept(key, truth.streams, series)]
    streams_by: dict[tuple[str, ...], list[Stream]] = {}
    for stream in truth.streams:
        streams_by.setdefault(tuple(stream.attributes.get(key, "") for key in keys), []).append(
            stream
        )
    series_by: dict[tuple[str, ...], list[Series]] = {}
    for each in series:
        series_by.setdefault(tuple(label(each, key) for key in keys), []).append(each)
    return tuple(
        Group(
            {key: value for key, value in zip(keys, values, strict=True) if value},
            tuple(streams_by.get(values, ())),
            tuple(series_by.get(values, ())),
        )
        for values in sorted({*streams_by, *series_by})
    )


def varying(streams: Sequence[Stream]) -> list[str]:
    """Return the keys of attributes that tell the streams apart, in order of their names."""
    keys = sorted({key for stream in streams for key in stream.attributes})
    return [key for key in keys if len({stream.attributes.get(key, "") for stream in streams}) > 1]


def kept(key: str, streams: Sequence[Stream], series: Sequence[Series]) -> bool:
    """Return whether a value that was sent under ``key`` is a label of any of the series."""
    sent = {stream.attributes[key] for stream in streams if key in stream.attributes}
    return any(label(each, key) in sent for each in series)


def label(series: Series, key: str) -> str:
    """Return the label of a series that the attribute ``key`` became; empty if there is none."""
    return next((series.labels[name] for name in labels_of(key) if name in series.labels), "")


def writers(series: Series, truth: Truth, found: Sequence[Series]) -> tuple[Stream, ...]:
    """Return the streams that are in ``series``, one of those ``found`` of the metric.

    A label that some series has is kept where there is something to keep: a series without it is
    of streams without the attribute.
    """
    keys = {key for stream in truth.streams for key in stream.attributes}
    shown = {key: label(series, key) for key in keys if any(label(each, key) for each in found)}
    return tuple(
        stream
        for stream in truth.streams
        if all(stream.attributes.get(key, "") == value for key, value in shown.items())
    )
