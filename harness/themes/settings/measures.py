"""Measure which collectors each signal reached, and what its requests carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...capture.capture import Capture
from ...capture.export import Export
from ...judging.items.item import Item

#: ``signal`` of the item that speaks of all requests together.
_ALL = "all"

_Pairs = tuple[tuple[str, Any], ...]


def carried(capture: Capture) -> list[Item]:
    """Return one item for each signal that arrived, and one for all of them together.

    ``reached`` are the collectors that got something (in the item ``all``: or a connection);
    ``signals`` is what arrived; ``headers`` and ``resource`` hold every value by name (None: some
    request, or some resource, lacks it). A session that asked the model nothing has no item.
    """
    run = capture.run
    if not run.truth.api_calls:
        return []
    by_signal: dict[str, list[Export]] = {}
    for export in capture.exports:
        by_signal.setdefault(str(export.signal), []).append(export)
    items = [
        Item(f"{run.label} · {signal}", _view(signal, exports))
        for signal, exports in by_signal.items()
    ]
    everything = _view(_ALL, capture.exports)
    connected = {connection.collector for connection in capture.connections}
    everything["reached"] = sorted({*everything["reached"], *connected})
    return [*items, Item(f"{run.label} · every request", everything)]


def _view(signal: str, exports: Sequence[Export]) -> dict[str, Any]:
    return {
        "signal": signal,
        "reached": sorted({export.collector for export in exports}),
        "signals": sorted({str(export.signal) for export in exports}),
        "protocols": sorted({str(export.protocol) for export in exports}),
        "headers": _values([tuple(_lower(export)) for export in exports]),
        "resource": _values(_resources(exports)),
    }


def _lower(export: Export) -> Iterator[tuple[str, str]]:
    for name, value in export.headers:
        yield name.lower(), value


def _resources(exports: Iterable[Export]) -> list[_Pairs]:
    resources: list[_Pairs] = []
    for export in exports:
        if export.counts:
            resources += [point.resource.attributes.pairs for point in export.data_points]
            resources += [event.resource.attributes.pairs for event in export.events]
    return resources


def _values(carriers: Sequence[_Pairs]) -> dict[str, list[Any]]:
    """Return every name's distinct values among the carriers, which may repeat a name.

    None comes last, for carriers without the name.
    """
    by_name: dict[str, set[Any]] = {name: set() for carrier in carriers for name, _ in carrier}
    for carrier in carriers:
        for name, value in carrier:
            by_name[name].add(value)
        for name in by_name.keys() - {name for name, _ in carrier}:
            by_name[name].add(None)
    return {
        name: sorted(values, key=lambda value: (value is None, str(value)))
        for name, values in sorted(by_name.items())
    }


MEASURES = (carried,)
