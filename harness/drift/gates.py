"""Take stock of what each gate reveals: attributes that come only where it is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ..capture.capture import Capture
from ..capture.export import Export
from ..capture.names import event_name
from ..contract.applicability import is_open
from ..judging.checks.canaries import GATES
from ..otlp.model import Attributes
from .attributes import json_keys

CLOSED = "closed"

_SHOWN, _HIDDEN = " shown", " hidden"


def opened(capture: Capture) -> str:
    """Return the gates that are open in a run, joined by ``+``; ``closed`` if none is."""
    return "+".join(word for name, word in GATES.items() if is_open(name, capture.run)) or CLOSED


def gates_of(sent: Iterable[tuple[Capture, Collection[Export]]]) -> dict[str, dict[str, list[str]]]:
    """Return for each set of open gates the owners, and what is seen of them only there.

    What is seen is an attribute, a key of one that holds JSON, or a value in place of a
    placeholder. Owners that no session with closed gates sends say nothing.
    """
    seen: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for capture, exports in sent:
        gate = opened(capture)
        for export in exports:
            for owner, attributes in _owners(export):
                seen[gate][owner] |= set(_marks(attributes))
    closed: dict[str, set[str]] = seen.pop(CLOSED, defaultdict(set))
    revealed: dict[str, dict[str, Any]] = {}
    for gate, owners in sorted(seen.items()):
        more = {
            owner: _told(owners[owner], closed[owner]) for owner in owners.keys() & closed.keys()
        }
        revealed[gate] = {owner: marks for owner, marks in sorted(more.items()) if marks}
    return revealed


def _told(marks: set[str], closed: set[str]) -> list[str]:
    """Return what an open gate adds; a shown value tells something where it was hidden before."""
    return sorted(
        mark
        for mark in marks - closed
        if not mark.endswith((_SHOWN, _HIDDEN))
        or (mark.endswith(_SHOWN) and mark.removesuffix(_SHOWN) + _HIDDEN in closed)
    )


def _owners(export: Export) -> Iterator[tuple[str, Attributes]]:
    for point in export.data_points:
        yield f"metric {point.metric.name}", point.attributes
    for event in export.events:
        yield f"event {event_name(event)}", event.attributes
    for span in export.spans:
        yield f"span {span.name}", span.attributes
        for each in span.events:
            yield f"span {span.name}, event {each.name}", each.attributes


def _marks(attributes: Attributes) -> Iterator[str]:
    for key, value in attributes.items():
        yield key
        if not isinstance(value, str) or not value:
            continue
        yield from (f"{key}: {each}" for each in json_keys(value) or ())
        is_placeholder = value.startswith("<") and value.endswith(">")
        yield f"{key}{_HIDDEN if is_placeholder else _SHOWN}"
