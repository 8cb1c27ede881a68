"""Recognise items that came out of a collector, and measure how long they took."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..capture.capture import Capture
from ..capture.export import SENT, Export
from ..capture.names import event_name
from ..otlp.model import DataPoint, Event, Signal, Span
from ..record.latency import Distribution, Latency
from .outlets.file import FILE
from .outlets.otlp import GRPC, HTTP
from .replay import SESSION

#: The outlets at which every item comes out, with the time at which it did. A file is looked at
#: ten times a second, so what it shows is as much too late.
_OUTLETS = (GRPC, HTTP, FILE)


class Identity(NamedTuple):
    """What an item is recognised by, whatever else a collector does to it: few are alike."""

    name: str
    session: str
    moment: int | str


def identity(item: DataPoint | Event | Span) -> Identity:
    """Return the identity of an item: for a span its id, for others the session and the time."""
    if isinstance(item, Span):
        return Identity("", "", item.span_id)
    session = item.attributes.get(SESSION)
    name = item.metric.name if isinstance(item, DataPoint) else event_name(item)
    return Identity(name, session if isinstance(session, str) else "", item.time_unix_nano)


def latencies(captures: Iterable[Capture]) -> tuple[Latency, ...]:
    """Measure, for each scenario, outlet and signal, how long items took until they came out.

    The time begins when a request is sent that the collector under test accepts. Items that came
    out more often than they were sent, or that nobody recognises, are left out.
    """
    measured: dict[tuple[str, str, Signal], Distribution] = {}
    for capture in captures:
        for outlet in _OUTLETS:
            sent = _sent(capture.accepted)
            for signal in Signal:
                # In the order of signals, whichever came out first.
                measured.setdefault((capture.run.scenario, outlet, signal), Distribution())
            for export in capture.accepted:
                if export.collector != outlet or export.signal is None:
                    continue
                of_signal = measured[capture.run.scenario, outlet, export.signal]
                for item in export.items:
                    waiting = sent.get(identity(item))
                    if waiting:
                        of_signal.add((export.arrived_unix_nano - waiting.popleft()) / 1e9)
    return tuple(
        Latency.of(f"{scenario} -> {outlet}", signal, found)
        for (scenario, outlet, signal), found in measured.items()
        if len(found)
    )


def _sent(exports: Iterable[Export]) -> Mapping[Identity, deque[int]]:
    """Return when the items of each identity were sent, the earliest first."""
    found: dict[Identity, deque[int]] = defaultdict(deque)
    for export in exports:
        if export.collector == SENT:
            for item in export.items:
                found[identity(item)].append(export.arrived_unix_nano)
    return found
