"""Where the attributes of OTEL_RESOURCE_ATTRIBUTES arrived, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.capture.capture import Capture
from harness.contract.attribute_keys import AttributeKeys, item_keys, own_keys, resource_keys
from harness.env_lists.pairs import Reading, read
from harness.judging.items.describe import abridged
from harness.judging.items.item import Item
from harness.otlp.model import Attributes, Signal
from harness.themes.ending import ended

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
    """One item for each place of a run with the variable set, and one for its session.

    ``kind`` is ``resource``, ``labels`` (attributes of data points and events) or
    ``session``; ``signal`` says whose; ``included`` is whether the variable for it lets
    them be labels of data points.  ``quirks`` are the oddities of the text.  ``collides``
    are its keys that the place has of its own; they are left out of the rest, but for
    ``overridden``: those that the place always has, and that came with the text's value.
    ``wrong`` are well-formed pairs that some item lacks or has with another value, and
    attributes of the resource that nobody speaks of: each with what is ``expected`` and
    what was ``seen`` (null: no such attribute).  ``came`` are the well-formed pairs that
    some item has, ``kept`` the malformed ones.  ``others``: whether ``all``, ``some`` or
    ``none`` of the well-formed pairs came (no key: there are none).  ``differs``: custom
    attributes of a resource that its item has not, or otherwise.  ``encoded``: something
    is percent-encoded.

    Where there are too many pairs for an event to hold, ``kind`` is ``crowded`` instead of
    ``labels``, and ``lost`` are attributes of its own that some event lacks.

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
            key for key in _OF_EVENTS for each in capture.events() if key not in each.attributes
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
                    **_view(reading, kind, str(signal), [own for own, _ in seen]),
                    "included": included,
                    "encoded": "%" in text,
                    "differs": _differences(reading, seen),
                },
            )
            for (kind, signal), seen in _places(capture).items()
            if seen and not (crowded and (kind, signal) == ("labels", Signal.LOGS))
        ),
    ]


def _places(capture: Capture) -> Mapping[tuple[str, Signal], Sequence[_Item]]:
    """At each place, the attributes of every item, and those of its resource."""
    found: dict[tuple[str, Signal], list[_Item]] = {}
    signals = ((Signal.METRICS, capture.data_points()), (Signal.LOGS, capture.events()))
    for signal, items in signals:
        resources = [item.resource.attributes for item in items]
        found["resource", signal] = [(each, each) for each in resources]
        own = [item.attributes for item in items]
        found["labels", signal] = list(zip(own, resources, strict=True))
    return found


def _differences(reading: Reading, seen: Sequence[_Item]) -> list[str]:
    given = {member.key for member in reading.members} - own_keys()
    return sorted(
        {
            key
            for own, resource in seen
            for key in given
            if own.get(key, _ABSENT) != resource.get(key, _ABSENT)
        }
    )


_ABSENT = object()


def _view(
    reading: Reading, kind: str, signal: str, seen: Sequence[Attributes]
) -> Mapping[str, Any]:
    own = _KINDS[kind]()
    wanted = {key: value for key, value in reading.attributes.items() if key not in own.all}
    odd = {member.key for member in reading.members if not member.well_formed} - wanted.keys()
    came = [key for key in wanted if any(key in each for each in seen)]
    view: dict[str, Any] = {
        "kind": kind,
        "signal": signal,
        "quirks": sorted(reading.quirks),
        "collides": sorted(own.all & {member.key for member in reading.members}),
        "wrong": dict(_wrong(wanted, own if kind == "resource" else None, seen)),
        "came": came,
        "kept": sorted(key for key in odd if any(key in each for each in seen)),
        "overridden": sorted(
            {
                member.key
                for member in reading.members
                if member.key in own.required
                and any(each.get(member.key) == member.value for each in seen)
            }
        ),
    }
    if wanted:
        view["others"] = "none" if not came else "all" if len(came) == len(wanted) else "some"
    return view


def _wrong(
    wanted: Mapping[str, str], own: AttributeKeys | None, seen: Sequence[Attributes]
) -> Iterator[tuple[str, Any]]:
    """``own``: no other attributes than these are fine; None: whatever else there is."""
    for key, value in wanted.items():
        values = _values(key, seen)
        if values != [value]:
            yield key, {"expected": value, "seen": values[0] if len(values) == 1 else values}
    if own is not None:
        for key in sorted({key for each in seen for key in each} - own.all - wanted.keys()):
            yield key, {"expected": None, "seen": _values(key, seen)[-1]}


def _values(key: str, seen: Sequence[Attributes]) -> list[Any]:
    """Return the distinct values of a key; None first, for an item without it."""
    found = {each.get(key) for each in seen}
    return sorted(found, key=lambda value: (value is not None, str(value)))
