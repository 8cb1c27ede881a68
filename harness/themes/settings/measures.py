"""Where each signal went, and what its requests carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.judging.items.item import Item

#: ``signal`` of the item that speaks of all requests together.
_ALL = "all"

_Pairs = tuple[tuple[str, Any], ...]


def carried(capture: Capture) -> list[Item]:
    """One item for each signal that arrived, and one for all; none of a session without work.

    ``reached``: the collectors that got something (``all``: or a connection);
    ``signals``: what arrived; ``protocols``; ``headers`` and ``resource``: by name, every
    value seen (None: a request, or a resource, without it).
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
    connected = {each.collector for each in capture.connections}
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
    found: list[_Pairs] = []
    for export in exports:
        if not export.rejected and export.decode_error is None:
            found += [point.resource.attributes.pairs for point in export.data_points]
            found += [event.resource.attributes.pairs for event in export.events]
    return found


def _values(carriers: Sequence[_Pairs]) -> dict[str, list[Any]]:
    """Return each name's values among the carriers, which may carry it more than once.

    None last, for those without it.
    """
    seen: dict[str, set[Any]] = {name: set() for carrier in carriers for name, _ in carrier}
    for carrier in carriers:
        for name, value in carrier:
            seen[name].add(value)
        for name in seen.keys() - {name for name, _ in carrier}:
            seen[name].add(None)
    return {
        name: sorted(values, key=lambda value: (value is None, str(value)))
        for name, values in sorted(seen.items())
    }


MEASURES = (carried,)
