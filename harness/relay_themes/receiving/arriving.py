"""Find the probes' items among everything that came out of a collector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...capture.export import SENT, Export
from ...judging.items.describe import shown
from ...otlp.model import Attributes, DataPoint, Event, Span, Value, typed
from .telemetry import MARKER, carried, trace_id

Telemetry = DataPoint | Event | Span

#: Outlets that show the same series again and again: what they show counts once, and a value is
#: that of the series.
_REPEATING = frozenset({"scrape", "write"})

_NO_TRACE = "none"


class Arrivals:
    """What came out, by the signal and the marker of each item.

    Only accepted exports count, and not those that were sent to the collector. Of several outlets
    the one counts where an item came out most often: not every outlet gets every signal.
    """

    def __init__(self, exports: Iterable[Export]) -> None:
        counted: Counter[tuple[str, str, str, int]] = Counter()
        #: The first item with a marker at each outlet.
        self._items: dict[tuple[str, str], dict[str, Telemetry]] = {}
        for export in exports:
            if export.collector == SENT or export.rejected or export.signal is None:
                continue
            for marker, item in _marked(export):
                # Cumulative points of one series are told apart by their times.
                moment = 0 if item is None else _time(item)
                counted[export.collector, export.signal.value, marker, moment] += 1
                if item is not None:
                    at_outlets = self._items.setdefault((export.signal.value, marker), {})
                    at_outlets.setdefault(export.collector, item)
        self._times: dict[tuple[str, str], int] = {}
        for (collector, signal, marker, _), number in counted.items():
            seen = 1 if collector in _REPEATING else number
            key = signal, marker
            self._times[key] = max(self._times.get(key, 0), seen)

    def times(self, signal: str, marker: str) -> int:
        """Return how often the item came out."""
        return self._times.get((signal, marker), 0)

    def changes(self, signal: str, marker: str, like: str) -> list[str] | None:
        """Say what differs between an item and another of the same making, that of ``like``.

        None where they did not come out of one outlet, both. What the pipeline changes, it changes
        in both; what is in the item alone is no change.
        """
        items, others = (self._items.get((signal, each), {}) for each in (marker, like))
        shared = [collector for collector in items if collector in others]
        if not shared:
            return None
        found: dict[str, None] = {}
        for collector in shared:
            facets = _facets(items[collector], collector)
            for name, expected in _facets(others[collector], collector).items():
                if name not in facets:
                    found[f"{name} is left out"] = None
                elif typed(facets[name]) != typed(expected):
                    found[f"{name} is {shown(facets[name])}, else {shown(expected)}"] = None
        return list(found)

    def trace(self, signal: str, marker: str) -> str | None:
        """Say which trace an item is in: ``its own``, ``another`` or ``none``.

        None where no item came out that could be in one. An id of another length is none.
        """
        for item in self._items.get((signal, marker), {}).values():
            if isinstance(item, Event | Span):
                return _trace(item.trace_id, marker)
        return None


def _trace(found: str, marker: str) -> str:
    if found == trace_id(marker).hex():
        return "its own"
    return "another" if len(found) == 32 and found.strip("0") else _NO_TRACE


def _facets(item: Telemetry, collector: str) -> dict[str, Value]:
    """Return what is the same in each item of a signal, however it was sent.

    What a pipeline adds may well differ from request to request.
    """
    facets: dict[str, Value] = {
        f"attributes.{key}": value for key, value in item.attributes.items() if key in carried()
    }
    if isinstance(item, DataPoint) and collector not in _REPEATING:
        facets["value"] = item.value
    return facets


def _marked(export: Export) -> Iterator[tuple[str, Telemetry | None]]:
    """Yield each marker with its item; without one where the request cannot be read."""
    if export.decode_error is not None:
        # One bad item spoils the request for us, but it came out with all others.
        text = (export.content or export.body).decode("utf-8", "replace")
        for marker in set(MARKER.findall(text)):
            yield marker, None
        return
    for item in export.items:
        for marker in set(MARKER.findall(" ".join(_texts(item)))):
            yield marker, item


def _time(item: Telemetry) -> int:
    return item.start_time_unix_nano if isinstance(item, Span) else item.time_unix_nano


def _texts(item: Telemetry) -> Iterator[str]:
    yield from _in(item.attributes)
    yield from _in(item.resource.attributes)
    if isinstance(item, Event):
        yield from _in(item.body)
    elif isinstance(item, Span):
        yield item.name


def _in(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Attributes):
        for member in value.values():
            yield from _in(member)
    elif isinstance(value, tuple):
        for member in value:
            yield from _in(member)
