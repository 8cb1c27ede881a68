"""A capture: one run and the exports that arrived from it, with queries.

Queries look at accepted exports only: what was refused counts as not delivered, and a client may
have sent it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..otlp.model import DataPoint, Event, Span, Value
from .describe import describe_all, has
from .export import Export
from .names import event_name, event_names, short
from .run import Run


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection that a collector accepted, whatever came of it."""

    collector: str
    opened_unix_nano: int


@dataclass(frozen=True)
class Capture:
    """One run and everything that arrived from it.

    Captures are equal when their runs and all raw exports are.
    """

    run: Run
    exports: tuple[Export, ...]
    #: Exports that the store had to forget because its memory limit was reached.
    forgotten: int = 0
    connections: tuple[Connection, ...] = ()

    @cached_property
    def accepted(self) -> tuple[Export, ...]:
        """Exports that were answered with success."""
        return tuple(export for export in self.exports if not export.rejected)

    @cached_property
    def rejected(self) -> tuple[Export, ...]:
        """Exports that were refused, with the reason in ``rejected``."""
        return tuple(export for export in self.exports if export.rejected)

    @cached_property
    def unkept(self) -> tuple[Export, ...]:
        """Exports that were refused because they were larger than the collector takes."""
        return tuple(export for export in self.exports if export.over_limit)

    def data_points(
        self, metric_name: str | None = None, /, **attributes: Value
    ) -> tuple[DataPoint, ...]:
        """Return data points in order of arrival, of the metric ``metric_name`` or of all.

        ``attributes`` must all be there with that very value, compared as Python does
        (so 1 finds 1.0): ``data_points("claude_code.token.usage", type="input")``.  For
        dotted names pass a dict: ``data_points(None, **{"session.id": "..."})``.
        """
        points = self._data_points
        if metric_name is not None:
            points = self._by_metric.get(metric_name, ())
        return tuple(point for point in points if has(point.attributes, attributes))

    def events(self, name: str | None = None, /, **attributes: Value) -> tuple[Event, ...]:
        """Return events in order of arrival, all or those called ``name``.

        ``attributes`` select as in :meth:`data_points`.

        A name is found in any place that can hold it, with or without the
        ``claude_code.`` prefix; see :mod:`harness.capture.names`.
        """
        events = self._events
        if name is not None:
            events = self._by_event.get(short(name), ())
        return tuple(event for event in events if has(event.attributes, attributes))

    def spans(self, name: str | None = None, /, **attributes: Value) -> tuple[Span, ...]:
        """Return spans in order of arrival, all or those called ``name``.

        ``attributes`` select as in :meth:`data_points`.
        """
        return tuple(
            span
            for span in self._spans
            if name in (None, span.name) and has(span.attributes, attributes)
        )

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        """The names of the metrics that arrived, in order of first arrival."""
        return tuple(self._by_metric)

    @cached_property
    def event_names(self) -> tuple[str, ...]:
        """The short names of the events that arrived, in order of first arrival."""
        return tuple(dict.fromkeys(filter(None, map(event_name, self._events))))

    def describe(self) -> str:
        """Describe what arrived, with one line for each export."""
        return describe_all(self.exports, self.forgotten)

    @cached_property
    def _data_points(self) -> tuple[DataPoint, ...]:
        return tuple(point for export in self.accepted for point in export.data_points)

    @cached_property
    def _events(self) -> tuple[Event, ...]:
        return tuple(event for export in self.accepted for event in export.events)

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        return tuple(span for export in self.accepted for span in export.spans)

    @cached_property
    def _by_metric(self) -> dict[str, tuple[DataPoint, ...]]:
        grouped: dict[str, list[DataPoint]] = {}
        for point in self._data_points:
            grouped.setdefault(point.metric.name, []).append(point)
        return {name: tuple(points) for name, points in grouped.items()}

    @cached_property
    def _by_event(self) -> dict[str, tuple[Event, ...]]:
        grouped: dict[str, list[Event]] = {}
        for event in self._events:
            for name in event_names(event):
                grouped.setdefault(name, []).append(event)
        return {name: tuple(events) for name, events in grouped.items()}
