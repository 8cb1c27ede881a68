"""Put what came out in the place of what a declaration leaves open, where it agrees with it.

What stands for a digest is learned from items that can be mistaken for no other: so the same
value must have the same digest everywhere, and two values must not share one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from ...otlp.model import Attributes, Value
from .facets import Keys, Telemetry
from .matching import Bound
from .placeholders import Digest, Placeholder, digest

#: Whose attribute it is (``attributes``, ``resource``), and its key.
_Place = tuple[str, str]
#: A digest is learned by its place and by the value that it stands for.
_Learned = dict[tuple[_Place, Value], Value]
_MASK = "\0open"


@dataclass(slots=True)
class _Group:
    """Items that are equal but for what is left open."""

    expected: list[Bound] = field(default_factory=list)
    arrived: list[Telemetry] = field(default_factory=list)


def settle(expected: Sequence[Bound], arrived: Sequence[Telemetry]) -> None:
    """Fill in, in ``expected``, what is left open; what agrees with nothing that came, stays."""
    open_ones = [bound for bound in expected if _placeholders(bound.item)]
    if not open_ones:
        return
    places = {place for bound in open_ones for place in _placeholders(bound.item)}
    groups = _grouped(open_ones, arrived, places)
    learned = _learned(groups)
    taken: dict[_Place, set[Value]] = defaultdict(set)
    for (place, _), value in learned.items():
        taken[place].add(value)
    for group in groups.values():
        for bound in group.expected:
            found = {
                place: learned[place, stand_in.original]
                for place, stand_in in _placeholders(bound.item).items()
                if isinstance(stand_in, Digest) and (place, stand_in.original) in learned
            }
            if found:
                bound.item = _with(bound.item, found)
            for place, stand_in in _placeholders(bound.item).items():
                if isinstance(stand_in, Digest):
                    stand_in.taken = taken.get(place, ())
        _fill_in(group, places)


def _grouped(
    open_ones: Sequence[Bound], arrived: Sequence[Telemetry], places: set[_Place]
) -> dict[Hashable, _Group]:
    keys = Keys()
    groups: dict[Hashable, _Group] = defaultdict(_Group)
    for bound in open_ones:
        groups[keys.of(_masked(bound.item, places))].expected.append(bound)
    for item in arrived:
        key = keys.of(_masked(item, places))
        if key in groups:
            groups[key].arrived.append(item)
    return groups


def _learned(groups: dict[Hashable, _Group]) -> _Learned:
    seen: dict[tuple[_Place, Value], Counter[Value]] = defaultdict(Counter)
    for group in groups.values():
        digests = {
            tuple(
                (place, stand_in.original)
                for place, stand_in in _placeholders(bound.item).items()
                if isinstance(stand_in, Digest)
            )
            for bound in group.expected
        }
        if len(digests) != 1 or not group.arrived:
            continue
        for place, original in digests.pop():
            values = {_at(item, place) for item in group.arrived}
            if len(values) == 1:
                seen[place, original][values.pop()] += len(group.expected)
    learned: _Learned = {}
    taken: set[tuple[_Place, Value]] = set()
    for (place, original), counted in seen.items():
        best = counted.most_common(1)[0][0]
        if best is not None and (place, best) not in taken and _is_digest(original, best):
            learned[place, original] = best
            taken.add((place, best))
    return learned


def _is_digest(original: Value, value: Value) -> bool:
    return digest(original).agrees(value)


def _fill_in(group: _Group, places: set[_Place]) -> None:
    """Give each item whose placeholders are left the values of one that arrived."""
    rest = list(group.arrived)
    for bound in group.expected:
        left = _placeholders(bound.item)
        if not left:
            continue
        for n, item in enumerate(rest):
            if all(_agrees(bound.item, item, place) for place in places):
                bound.item = _with(bound.item, {place: _at(item, place) for place in left})
                del rest[n]
                break


def _agrees(expected: Telemetry, arrived: Telemetry, place: _Place) -> bool:
    was, came = _at(expected, place), _at(arrived, place)
    if isinstance(was, Placeholder):
        return was.agrees(came)
    return type(was) is type(came) and was == came


def _placeholders(item: Telemetry) -> dict[_Place, Placeholder]:
    return {
        (owner, key): value
        for owner, attributes in _sets(item)
        for key, value in attributes.pairs
        if value.__class__ is not str and isinstance(value, Placeholder)
    }


def _sets(item: Telemetry) -> tuple[tuple[str, Attributes], ...]:
    return ("attributes", item.attributes), ("resource", item.resource.attributes)


def _at(item: Telemetry, place: _Place) -> Value:
    owner, key = place
    attributes = item.attributes if owner == "attributes" else item.resource.attributes
    return attributes.get(key)


def _masked(item: Telemetry, places: set[_Place]) -> Telemetry:
    there = {place: _MASK for place in places if _at(item, place) is not None}
    return _with(item, there)


def _with(item: Telemetry, values: dict[_Place, str] | dict[_Place, Value]) -> Telemetry:
    """Return the item with other values of attributes that it has."""
    for owner, attributes in _sets(item):
        wanted = {key: value for (each, key), value in values.items() if each == owner}
        if not wanted:
            continue
        made = Attributes(tuple((key, wanted.get(key, was)) for key, was in attributes.pairs))
        if owner == "attributes":
            item = replace(item, attributes=made)
        else:
            item = replace(item, resource=replace(item.resource, attributes=made))
    return item
