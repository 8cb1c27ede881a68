"""Measure where the attributes of OTEL_RESOURCE_ATTRIBUTES arrived, and with what value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...capture.capture import Capture
from ...contract.attribute_keys import AttributeKeys, item_keys, own_keys, resource_keys
from ...env_lists.pairs import Reading, read
from ...judging.items.describe import abridged
from ...judging.items.item import Item
from ...otlp.model import Attributes, Signal
from ..ending import ended

#: With more pairs, they and its own attributes may be more than the 128 that OpenTelemetry
#: lets a log record have.
MOST_LABELS = 100

VARIABLE = "OTEL_RESOURCE_ATTRIBUTES"
SWITCH = "OTEL_METRICS_INCLUDE_RESOURCE_ATTRIBUTES"


#: What every event has.
_OF_EVENTS = ("session.id", "event.name", "event.timestamp")

#: The keys that each kind of place has of its own.
_KINDS = {"resource": resource_keys, "labels": item_keys}

_Item = tuple[Attributes, Attributes]


def custom_attributes(capture: Capture) -> list[Item]:
    """Return items for a run with the variable set: one for each place, one for its session.

    ``kind`` is ``resource``, ``labels`` (attributes of data points and events) or ``session``;
    ``signal`` says of which signal; ``included`` is whether
    OTEL_METRICS_INCLUDE_RESOURCE_ATTRIBUTES lets them be labels of data points; ``encoded`` is
    whether the text holds a percent sign.

    ``quirks`` are the kinds of odd input in the text. ``collides`` are those of its keys that the
    CLI uses at this place itself; they are left out of the other fields but ``overridden``: keys
    that the CLI always sets there, and that came with the value of the text.

    ``wrong`` are well-formed pairs that some item lacks or has with another value, and attributes
    of the resource that are neither such pairs nor in the schemas: each with what is ``expected``
    and what was ``seen`` (null: no such attribute). ``came`` are the keys of the well-formed
    pairs that some item has, ``kept`` those of the malformed ones. ``others`` says whether
    ``all``, ``some`` or ``none`` of the well-formed pairs came (missing if there are none).
    ``differs`` are custom attributes that an item and its resource do not share with the same
    value.

    If there are too many pairs for an event to hold, ``kind`` is ``crowded`` instead of
    ``labels``, and ``lost`` are the CLI's own attributes that some event lacks.

    ``ended`` is the end of the session: ``exit_code``, and ``asked`` (requests to the model).
    """
    text = capture.run.environment.get(VARIABLE)
    if text is None:
        return []
    reading = read(text)
    included = capture.run.environment.get(SWITCH) != "false"
    where = f"{capture.run.label} · {VARIABLE}={abridged(text)}"
    session = {"kind": "session", "ended": ended(capture.run)}
    if len(reading.members) > MOST_LABELS and capture.events():
        lost = {
            key for key in _OF_EVENTS for event in capture.events() if key not in event.attributes
        }
        crowded = [Item(f"{where} · events", {"kind": "crowded", "lost": sorted(lost)})]
    else:
        crowded = []
    return [
        Item(where, session),
        *crowded,
        *(
            Item(
                f"{where} · {kind} of {signal}",
                {
                    **_view(reading, kind, str(signal), [own for own, _ in items]),
                    "included": included,
                    "encoded": "%" in text,
                    "differs": _differences(reading, items),
                },
            )
            for (kind, signal), items in _places(capture).items()
            if items and not (crowded and (kind, signal) == ("labels", Signal.LOGS))
        ),
    ]


def _places(capture: Capture) -> Mapping[tuple[str, Signal], Sequence[_Item]]:
    """Return the attributes of every item at each place, with those of its resource."""
    by_place: dict[tuple[str, Signal], list[_Item]] = {}
    signals = ((Signal.METRICS, capture.data_points()), (Signal.LOGS, capture.events()))
    for signal, items in signals:
        resources = [item.resource.attributes for item in items]
        by_place["resource", signal] = [(attributes, attributes) for attributes in resources]
        own = [item.attributes for item in items]
        by_place["labels", signal] = list(zip(own, resources, strict=True))
    return by_place


def _differences(reading: Reading, items: Sequence[_Item]) -> list[str]:
    given = {member.key for member in reading.members} - own_keys()
    return sorted(
        {
            key
            for own, resource in items
            for key in given
            if own.get(key, _ABSENT) != resource.get(key, _ABSENT)
        }
    )


_ABSENT = object()


def _view(
    reading: Reading, kind: str, signal: str, attribute_sets: Sequence[Attributes]
) -> Mapping[str, Any]:
    own = _KINDS[kind]()
    wanted = {key: value for key, value in reading.attributes.items() if key not in own.all}
    odd = {member.key for member in reading.members if not member.well_formed} - wanted.keys()
    came = [key for key in wanted if any(key in attributes for attributes in attribute_sets)]
    view: dict[str, Any] = {
        "kind": kind,
        "signal": signal,
        "quirks": sorted(reading.quirks),
        "collides": sorted(own.all & {member.key for member in reading.members}),
        "wrong": dict(_wrong(wanted, own if kind == "resource" else None, attribute_sets)),
        "came": came,
        "kept": sorted(
            key for key in odd if any(key in attributes for attributes in attribute_sets)
        ),
        "overridden": sorted(
            {
                member.key
                for member in reading.members
                if member.key in own.required
                and any(attributes.get(member.key) == member.value for attributes in attribute_sets)
            }
        ),
    }
    if wanted:
        view["others"] = "none" if not came else "all" if len(came) == len(wanted) else "some"
    return view


def _wrong(
    wanted: Mapping[str, str], own: AttributeKeys | None, attribute_sets: Sequence[Attributes]
) -> Iterator[tuple[str, Any]]:
    """Yield the keys with another value than the wanted one, and unknown keys.

    ``own`` are the keys that are known besides the wanted ones; None: any other key is fine.
    """
    for key, value in wanted.items():
        values = _values(key, attribute_sets)
        if values != [value]:
            yield key, {"expected": value, "seen": values[0] if len(values) == 1 else values}
    if own is not None:
        for key in sorted(
            {key for attributes in attribute_sets for key in attributes} - own.all - wanted.keys()
        ):
            yield key, {"expected": None, "seen": _values(key, attribute_sets)[-1]}


def _values(key: str, attribute_sets: Sequence[Attributes]) -> list[Any]:
    """Return the distinct values of a key; None first, for an item without it."""
    values = {attributes.get(key) for attributes in attribute_sets}
    return sorted(values, key=lambda value: (value is not None, str(value)))
