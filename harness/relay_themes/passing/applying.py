"""Apply declared changes to what was sent: what comes of it is what is expected to come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from ...capture.names import event_name, short
from ...otlp.model import Attributes, DataPoint, Event, Resource, Span, Value, typed
from .aggregating import aggregated
from .converting import converted
from .facets import Telemetry, name_of, signal_of
from .matching import Bound
from .observed import Change
from .placeholders import anything, digest

T = TypeVar("T", DataPoint, Event, Span)
_Pairs = list[tuple[str, Value]]


@dataclass(slots=True)
class Expectation:
    """What is expected at one outlet.

    ``dropped`` are items that are not to come out, with the number of the change that says so;
    ``merged`` is how many points each number has added to others; ``cumulative`` and ``added_up``
    are names of metrics, as they come out, with the number of the change about them;
    ``elsewhere`` are those of cumulative ones as they were sent.
    """

    bound: list[Bound]
    dropped: list[tuple[int, Telemetry]] = field(default_factory=list)
    merged: Counter[int] = field(default_factory=Counter)
    cumulative: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    added_up: dict[str, int] = field(default_factory=dict)
    concerned: Counter[int] = field(default_factory=Counter)


def expect(changes: Sequence[Change], sent: Iterable[Telemetry], outlet: str) -> Expectation:
    """Return what is expected at an outlet of what was sent, in the order in which it was."""
    made = Expectation([Bound(item, name_of(item)) for item in sent])
    for change in changes:
        if not change.outlets or outlet in change.outlets:
            _STEPS[change.kind](change, made)
    _leave_cumulative_out(made)
    return made


class Selection:
    """Decides which items a change speaks of; names are those under which they were sent."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._known: dict[tuple[type[Telemetry], str], bool] = {}

    def __contains__(self, bound: Bound) -> bool:
        key = type(bound.item), bound.name
        if key not in self._known:
            self._known[key] = self._decide(bound)
        return self._known[key]

    def _decide(self, bound: Bound) -> bool:
        change, item = self._change, bound.item
        if change.signals and signal_of(item) not in change.signals:
            return False
        if not (change.metrics or change.events or change.spans):
            return True
        patterns = change.spans
        if isinstance(item, DataPoint):
            patterns = change.metrics
        elif isinstance(item, Event):
            patterns = change.events
        return any(fnmatchcase(short(bound.name), short(pattern)) for pattern in patterns)


def _of_attributes(edit: Callable[[Change, _Pairs], str]) -> Callable[[Change, Expectation], None]:
    """Make the step of an edit of attributes, which returns the key that it changed, or nothing."""

    def step(change: Change, made: Expectation) -> None:
        selection = Selection(change)
        on_resource = change.on == "resource"
        # Resources are shared: each is edited once, and what comes of it is shared again.
        edited: dict[int, tuple[Resource, Resource, str]] = {}
        for bound in made.bound:
            if bound not in selection:
                continue
            made.concerned[change.number] += 1
            if not on_resource:
                pairs = list(bound.item.attributes.pairs)
                if key := edit(change, pairs):
                    bound.item = replace(bound.item, attributes=Attributes(tuple(pairs)))
                    bound.touched += ((change.number, f"attributes.{key}"),)
                continue
            resource = bound.item.resource
            if id(resource) not in edited:
                pairs = list(resource.attributes.pairs)
                key = edit(change, pairs)
                other = replace(resource, attributes=Attributes(tuple(pairs)))
                edited[id(resource)] = (resource, other if key else resource, key)
            _, other, key = edited[id(resource)]
            if key:
                bound.item = replace(bound.item, resource=other)
                bound.touched += ((change.number, f"resource.attributes.{key}"),)

    return step


def _add(change: Change, pairs: _Pairs) -> str:
    if any(key == change.attribute for key, _ in pairs):
        return ""
    value = anything() if change.value is None else as_value(change.value)
    pairs.append((change.attribute, value))
    return change.attribute


def _set(change: Change, pairs: _Pairs) -> str:
    value = as_value(change.value)
    was = [each for key, each in pairs if key == change.attribute]
    if len(was) == 1 and typed(was[0]) == typed(value):
        return ""
    pairs[:] = [pair for pair in pairs if pair[0] != change.attribute]
    pairs.append((change.attribute, value))
    return change.attribute


def _drop(change: Change, pairs: _Pairs) -> str:
    gone = [key for key, _ in pairs if _meant(change, key)]
    pairs[:] = [pair for pair in pairs if not _meant(change, pair[0])]
    return gone[0] if gone else ""


def _rename(change: Change, pairs: _Pairs) -> str:
    found = dict(pairs)
    if change.attribute not in found:
        return ""
    pairs[:] = [
        (change.to if key == change.attribute else key, value)
        for key, value in pairs
        if key != change.to
    ]
    return change.to


def _hash(change: Change, pairs: _Pairs) -> str:
    return _edit_values(change, pairs, digest)


def _convert(change: Change, pairs: _Pairs) -> str:
    return _edit_values(change, pairs, lambda value: converted(value, change.to))


def _edit_values(change: Change, pairs: _Pairs, edit: Callable[[Value], Value]) -> str:
    first = ""
    for n, (key, value) in enumerate(pairs):
        if _meant(change, key):
            other = edit(value)
            if other is not value:
                pairs[n] = (key, other)
                first = first or key
    return first


def _meant(change: Change, key: str) -> bool:
    return fnmatchcase(key, change.attribute) and not any(
        fnmatchcase(key, pattern) for pattern in change.excepted
    )


def _move(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    moved: dict[tuple[int, str], tuple[Resource, Resource]] = {}
    for bound in made.bound:
        item = bound.item
        if bound not in selection or change.attribute not in item.attributes:
            continue
        made.concerned[change.number] += 1
        value = item.attributes[change.attribute]
        key = id(item.resource), repr(value)
        if key not in moved:
            pairs = [pair for pair in item.resource.attributes.pairs if pair[0] != change.attribute]
            attributes = Attributes((*pairs, (change.attribute, value)))
            moved[key] = (item.resource, replace(item.resource, attributes=attributes))
        if not change.keep:
            pairs = [pair for pair in item.attributes.pairs if pair[0] != change.attribute]
            item = replace(item, attributes=Attributes(tuple(pairs)))
        bound.item = replace(item, resource=moved[key][1])
        bound.touched += ((change.number, f"resource.attributes.{change.attribute}"),)


def _rename_items(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    for bound in made.bound:
        if bound in selection:
            made.concerned[change.number] += 1
            other = change.to.replace("{name}", bound.name)
            if other != name_of(bound.item):
                bound.item, path = _renamed(bound.item, other)
                bound.touched += ((change.number, path),)


def _renamed(item: Telemetry, name: str) -> tuple[Telemetry, str]:
    """Rename an item; an event at each place where it says its name."""
    if isinstance(item, DataPoint):
        return replace(item, metric=replace(item.metric, name=name)), "name"
    if isinstance(item, Span):
        return replace(item, name=name), "name"
    was = event_name(item)
    pairs = tuple(
        (key, name if key == "event.name" else value) for key, value in item.attributes.pairs
    )
    body = item.body
    if isinstance(body, str) and short(body) == was:
        body = name
    field_name = name if item.event_name else ""
    path = "attributes.event.name" if "event.name" in item.attributes else "body"
    other = replace(item, attributes=Attributes(pairs), body=body, event_name=field_name)
    return other, path


def _drop_items(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    kept = []
    for bound in made.bound:
        if bound in selection:
            made.concerned[change.number] += 1
            made.dropped.append((change.number, bound.item))
        else:
            kept.append(bound)
    made.bound = kept


def _change_unit(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    for bound in made.bound:
        item = bound.item
        if not isinstance(item, DataPoint) or bound not in selection:
            continue
        made.concerned[change.number] += 1
        value = item.value
        if value is not None and change.factor != 1.0:
            product = value * change.factor
            value = int(product) if isinstance(value, int) and product.is_integer() else product
        if item.metric.unit != change.to:
            metric = replace(item.metric, unit=change.to)
            bound.item = replace(item, metric=metric, value=value)
            bound.touched += ((change.number, "unit"),)


def _note_sampled(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    for bound in made.bound:
        if not isinstance(bound.item, DataPoint) and bound in selection:
            made.concerned[change.number] += 1
            bound.item = without_sampling(bound.item)
            bound.touched += ((change.number, SAMPLED),)


def without_sampling(item: Telemetry) -> Telemetry:
    """Return the item without what OpenTelemetry's samplers write into the trace state."""
    if not isinstance(item, Span) or "ot=" not in item.trace_state:
        return item
    members = [each.strip() for each in item.trace_state.split(",")]
    others = ",".join(each for each in members if not each.startswith("ot="))
    return replace(item, trace_state=others)


#: What stands for a path in an item that need not come out.
SAMPLED = "(sampled)"
_CUMULATIVE = "(cumulative)"


def _note_cumulative(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    for bound in made.bound:
        item = bound.item
        if isinstance(item, DataPoint) and item.metric.type == "sum" and bound in selection:
            made.concerned[change.number] += 1
            bound.touched += ((change.number, _CUMULATIVE),)


def _leave_cumulative_out(made: Expectation) -> None:
    kept = []
    for bound in made.bound:
        number = next((n for n, path in bound.touched if path == _CUMULATIVE), None)
        if number is None:
            kept.append(bound)
        else:
            made.cumulative[name_of(bound.item)] = number
            made.elsewhere.add(bound.name)
    made.bound = kept


def _aggregate(change: Change, made: Expectation) -> None:
    selection = Selection(change)
    concerned = [
        bound
        for bound in made.bound
        if isinstance(bound.item, DataPoint)
        and bound.item.metric.type == "sum"
        and bound in selection
    ]
    made.concerned[change.number] += len(concerned)
    names = {name_of(bound.item) for bound in concerned}
    made.added_up.update(dict.fromkeys(names, change.number))
    points = [bound.item for bound in concerned if isinstance(bound.item, DataPoint)]
    groups = aggregated(points)
    ours = {id(bound) for bound in concerned}
    others = [bound for bound in made.bound if id(bound) not in ours]
    for point, members in groups:
        first = concerned[members[0]]
        if len(members) > 1:
            first.touched += ((change.number, "value"),)
            made.merged[change.number] += len(members) - 1
        first.item = point
        others.append(first)
    made.bound = others


def as_value(value: object) -> Value:
    """Convert a value of a declaration to one of OTLP."""
    if isinstance(value, list | tuple):
        return tuple(as_value(member) for member in value)
    assert isinstance(value, str | bool | int | float)
    return value


_STEPS: Mapping[str, Callable[[Change, Expectation], None]] = {
    "attribute_added": _of_attributes(_add),
    "attribute_set": _of_attributes(_set),
    "attribute_dropped": _of_attributes(_drop),
    "attribute_renamed": _of_attributes(_rename),
    "attribute_hashed": _of_attributes(_hash),
    "attribute_converted": _of_attributes(_convert),
    "attribute_moved": _move,
    "renamed": _rename_items,
    "dropped": _drop_items,
    "unit": _change_unit,
    "cumulative": _note_cumulative,
    "sampled": _note_sampled,
    "aggregated": _aggregate,
}
#: Every kind of change that can be applied.
KINDS_OF_CHANGE = frozenset(_STEPS)
