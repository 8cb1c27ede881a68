"""Match what should have come out with what came out, by identity: never by order or batch.

Equal items are matched first, as multisets. What is left is paired by ever weaker identities, so
that a change is told as a change. Only what has no partner then is lost, or made up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from ...otlp.model import DataPoint, Event, Span, typed
from .differences import Difference, differences
from .facets import (
    Keys,
    Telemetry,
    attributes_key,
    name_of,
    valid_id,
)


@dataclass(slots=True)
class Bound:
    """An item that is to come out: ``item`` as declared changes make it of what was sent.

    ``name`` is the one that it was sent under. ``touched`` holds the number of each declared
    change that made a difference, and the path of the field in which it did.
    """

    item: Telemetry
    name: str
    touched: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """An item that came out changed."""

    expected: Bound
    arrived: Telemetry
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class Matched:
    """How what was expected of one signal, and what arrived, belong together.

    ``repeated`` came out once more than they were sent; ``made_up`` were never sent; ``refused``
    were, in a request that was not accepted: they may come out, and need not.
    """

    same: list[tuple[Bound, Telemetry]] = field(default_factory=list)
    changed: list[Pair] = field(default_factory=list)
    lost: list[Bound] = field(default_factory=list)
    repeated: list[Telemetry] = field(default_factory=list)
    made_up: list[Telemetry] = field(default_factory=list)
    refused: list[Telemetry] = field(default_factory=list)


#: The value by which two items may belong together; None for an item that has none.
Identity = Callable[[Telemetry], Hashable]

#: Of so many possible pairs that share a weak identity, the most similar ones are sought.
_MOST_PAIRS = 4_000
#: What two items must share at least to be paired without any identity.
_ALIKE = 0.5


def match(
    expected: Sequence[Bound], arrived: Sequence[Telemetry], refused: Sequence[Telemetry] = ()
) -> Matched:
    """Match the items of one signal."""
    keys = Keys()
    matched = Matched()
    waiting: dict[Hashable, list[Bound]] = defaultdict(list)
    for bound in reversed(expected):
        waiting[keys.of(bound.item)].append(bound)
    tolerated = Counter(keys.of(item) for item in refused)
    left: list[Telemetry] = []
    for item in arrived:
        key = keys.of(item)
        queue = waiting.get(key)
        if queue:
            matched.same.append((queue.pop(), item))
        elif tolerated and tolerated[key] > 0:
            tolerated[key] -= 1
            matched.refused.append(item)
        elif queue is not None:
            matched.repeated.append(item)
        else:
            left.append(item)
    waits = {id(bound) for queue in waiting.values() for bound in queue}
    rest = [bound for bound in expected if id(bound) in waits] if waits else []
    if rest or left:
        _pair_the_rest(matched, rest, left)
    return matched


def _pair_the_rest(matched: Matched, lost: list[Bound], left: list[Telemetry]) -> None:
    kind = type(left[0] if left else lost[0].item)
    strong, *weaker = _IDENTITIES[kind]
    lost, left = _pair_by(strong, matched, lost, left)
    left = _set_repeated_aside(_ONE_AND_THE_SAME[kind], matched, left)
    for identity in weaker:
        if not lost or not left:
            break
        lost, left = _pair_by(identity, matched, lost, left)
    if lost and left:
        lost, left = _pair_alike(matched, lost, left)
    matched.lost += lost
    matched.made_up += left


def _set_repeated_aside(
    identity: Identity, matched: Matched, left: list[Telemetry]
) -> list[Telemetry]:
    """Move what is an item that has come out already, but for a change, to what is repeated."""
    if not left:
        return left
    there = {identity(bound.item) for bound, _ in matched.same}
    there.update(identity(pair.expected.item) for pair in matched.changed)
    there.discard(None)
    others: list[Telemetry] = []
    for item in left:
        (matched.repeated if identity(item) in there else others).append(item)
    return others


def _pair_by(
    identity: Identity, matched: Matched, lost: list[Bound], left: list[Telemetry]
) -> tuple[list[Bound], list[Telemetry]]:
    """Pair what shares an identity; return what is left on both sides."""
    groups: dict[Hashable, tuple[list[Bound], list[Telemetry]]] = {}
    for bound in lost:
        groups.setdefault(identity(bound.item), ([], []))[0].append(bound)
    for item in left:
        key = identity(item)
        if key in groups:
            groups[key][1].append(item)
    paired: set[int] = set()
    for key, (some, others) in groups.items():
        if key is None or not others:
            continue
        for bound, item, found in _closest(some, others):
            paired |= {id(bound), id(item)}
            matched.changed.append(Pair(bound, item, found))
    return _without(lost, left, paired)


def _without(
    lost: list[Bound], left: list[Telemetry], paired: set[int]
) -> tuple[list[Bound], list[Telemetry]]:
    return (
        [bound for bound in lost if id(bound) not in paired],
        [item for item in left if id(item) not in paired],
    )


def _closest(
    some: Sequence[Bound], others: Sequence[Telemetry]
) -> list[tuple[Bound, Telemetry, tuple[Difference, ...]]]:
    """Pair as many as there are on both sides, those with the fewest differences first."""
    if len(some) * len(others) > _MOST_PAIRS or len(some) == len(others) == 1:
        return [
            (bound, item, differences(bound.item, item))
            for bound, item in zip(some, others, strict=False)
        ]
    possible = [
        (len(found), m, n, found)
        for m, bound in enumerate(some)
        for n, item in enumerate(others)
        for found in [differences(bound.item, item)]
    ]
    possible.sort(key=lambda each: each[:3])
    taken: tuple[set[int], set[int]] = set(), set()
    pairs = []
    for _, m, n, found in possible:
        if m not in taken[0] and n not in taken[1]:
            taken[0].add(m)
            taken[1].add(n)
            pairs.append((some[m], others[n], found))
    return pairs


def _pair_alike(
    matched: Matched, lost: list[Bound], left: list[Telemetry]
) -> tuple[list[Bound], list[Telemetry]]:
    """Pair what shares no identity, but most of what it says."""
    if len(lost) * len(left) > _MOST_PAIRS:
        return lost, left
    paired: set[int] = set()
    for bound, item, found in _closest(lost, left):
        size = 8 + len(bound.item.attributes) + len(bound.item.resource.attributes)
        same_name = name_of(bound.item) == name_of(item)
        if len(found) <= (size * _ALIKE if same_name else size * _ALIKE / 2):
            matched.changed.append(Pair(bound, item, found))
            paired |= {id(bound), id(item)}
    return _without(lost, left, paired)


def _event_number(event: Telemetry) -> Hashable:
    """Return session and number of an event, whatever type they have become."""
    session, number = event.attributes.get("session.id"), event.attributes.get("event.sequence")
    if session is None or number is None:
        return None
    return str(session), str(number)


def _content(event: Telemetry) -> Hashable:
    assert isinstance(event, Event)
    return name_of(event), attributes_key(event.attributes), typed(event.body)


def _event(*names: str) -> Identity:
    """Make an identity of the name of an event and some of its fields."""
    return lambda event: (name_of(event), *(typed(getattr(event, name)) for name in names))


def _numbered_at(event: Telemetry) -> Hashable:
    """Return name and number of an event: its session may have become another."""
    assert isinstance(event, Event)
    number = event.attributes.get("event.sequence")
    return None if number is None else (name_of(event), str(number), event.time_unix_nano)


def _point(*names: str, attributes: bool = False, name: bool = True) -> Identity:
    """Make an identity of the metric's name, the attributes and some fields of a point."""

    def identity(point: Telemetry) -> Hashable:
        assert isinstance(point, DataPoint)
        return (
            point.metric.name if name else "",
            attributes_key(point.attributes) if attributes else "",
            *(_loose(getattr(point, each)) for each in names),
        )

    return identity


def _loose(value: object) -> Hashable:
    """Return a number without its type."""
    return float(value) if isinstance(value, int | float) else str(value)


def _span_id(span: Telemetry) -> Hashable:
    assert isinstance(span, Span)
    own = valid_id(span.span_id)
    return (valid_id(span.trace_id), own) if own else None


def _span(*names: str) -> Identity:
    return lambda span: tuple(typed(getattr(span, name)) for name in names)


_START, _TIME, _END = "start_time_unix_nano", "time_unix_nano", "end_time_unix_nano"


def _one_event(event: Telemetry) -> Hashable:
    """Return what no two events share, even if their sessions have become one."""
    assert isinstance(event, Event)
    number = _event_number(event)
    return None if number is None else (number, name_of(event), event.time_unix_nano)


#: By these, an item that came out once more is known as one that came out, whatever changed.
_ONE_AND_THE_SAME: Mapping[type[Telemetry], Identity] = {
    Event: _one_event,
    DataPoint: _point(_START, _TIME, "value", attributes=True),
    Span: _span_id,
}
#: The identities of each kind of item, the strongest first.
_IDENTITIES: Mapping[type[Telemetry], Sequence[Identity]] = {
    Event: (
        _event_number,
        _content,
        _numbered_at,
        _event(_TIME, "body", "observed_time_unix_nano"),
        _event(_TIME),
        _event("body", "severity_number"),
    ),
    DataPoint: (
        _point(_START, _TIME, attributes=True),
        _point(_START, _TIME, "value"),
        _point(_TIME, attributes=True),
        _point(_START, "value", attributes=True),
        _point(_TIME, "value"),
        _point("value", attributes=True),
        _point(_START, _TIME, "value", attributes=True, name=False),
        _point(_TIME),
    ),
    Span: (
        _span_id,
        _span("span_id", "name"),
        _span("name", "start_time_unix_nano", _END),
        _span("name", "start_time_unix_nano"),
        _span("trace_id", "start_time_unix_nano", _END),
    ),
}
