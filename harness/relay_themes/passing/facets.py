"""The facets of an item: every field of a data point, event or span that must stay as it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from ...capture.names import event_name
from ...otlp.model import (
    Attributes,
    DataPoint,
    Event,
    Metric,
    Resource,
    Scope,
    Signal,
    Span,
    Value,
    typed,
)

Telemetry = DataPoint | Event | Span


class Kind(StrEnum):
    """What of an item may change, in the words of ``schemas/collector/passing_unchanged.json``."""

    NAME = "name"
    DESCRIPTION = "description"
    UNIT = "unit"
    TYPE = "type"
    TEMPORALITY = "temporality"
    MONOTONIC = "monotonic"
    VALUE = "value"
    VALUE_TYPE = "value_type"
    TIMES = "times"
    FLAGS = "flags"
    BODY = "body"
    EVENT_NAME = "event_name"
    SEVERITY = "severity"
    IDS = "ids"
    TRACE_STATE = "trace_state"
    SPAN_KIND = "span_kind"
    STATUS = "status"
    SPAN_EVENTS = "span_events"
    LINKS = "links"
    EXEMPLARS = "exemplars"
    METADATA = "metadata"
    ENTITIES = "entities"
    DROPPED_COUNTS = "dropped_counts"
    ATTRIBUTES_LOST = "attributes_lost"
    ATTRIBUTES_ADDED = "attributes_added"
    ATTRIBUTES_CHANGED = "attributes_changed"
    ATTRIBUTES_RETYPED = "attributes_retyped"
    RESOURCE_LOST = "resource_lost"
    RESOURCE_ADDED = "resource_added"
    RESOURCE_CHANGED = "resource_changed"
    SCOPE = "scope"
    SCHEMA_URL = "schema_url"


#: A field that is compared as a whole: what changes with it, how it is called, how it is read.
Field = tuple[Kind, str, Callable[[Any], Value]]


def _own(kind: Kind, name: str) -> Field:
    return kind, name, lambda item: getattr(item, name)


def _of_metric(kind: Kind, name: str) -> Field:
    return kind, name, lambda point: getattr(point.metric, name)


def _dropped(name: str, read: Callable[[Any], Value]) -> Field:
    return Kind.DROPPED_COUNTS, name, read


def _id(name: str) -> Field:
    return Kind.IDS, name, lambda item: valid_id(getattr(item, name))


_OWNERS: tuple[Field, ...] = (
    (Kind.SCOPE, "scope.name", lambda item: item.scope.name),
    (Kind.SCOPE, "scope.version", lambda item: item.scope.version),
    (Kind.SCHEMA_URL, "scope.schema_url", lambda item: item.scope.schema_url),
    (Kind.SCHEMA_URL, "resource.schema_url", lambda item: item.resource.schema_url),
    (Kind.ENTITIES, "resource.entity_refs", lambda item: item.resource.entities),
    _dropped(
        "resource.dropped_attributes_count", lambda item: item.resource.dropped_attributes_count
    ),
    _dropped("scope.dropped_attributes_count", lambda item: item.scope.dropped_attributes_count),
)
#: What few items have, and the CLI's never: it is judged only where one has it, or comes out so.
SELDOM = frozenset({Kind.EXEMPLARS, Kind.METADATA, Kind.ENTITIES, Kind.DROPPED_COUNTS})
#: The value of a point is not among them: it may keep its number and change its type.
FIELDS: Mapping[type[Telemetry], Sequence[Field]] = {
    DataPoint: (
        *(
            _of_metric(kind, kind)
            for kind in (Kind.NAME, Kind.DESCRIPTION, Kind.UNIT, Kind.TYPE, Kind.TEMPORALITY)
        ),
        _of_metric(Kind.MONOTONIC, "monotonic"),
        (Kind.VALUE, "value", lambda point: point.extra),
        (Kind.EXEMPLARS, "exemplars", lambda point: point.exemplars),
        _of_metric(Kind.METADATA, "metadata"),
        _own(Kind.TIMES, "start_time_unix_nano"),
        _own(Kind.TIMES, "time_unix_nano"),
        _own(Kind.FLAGS, "flags"),
        *_OWNERS,
    ),
    Event: (
        _own(Kind.BODY, "body"),
        _own(Kind.EVENT_NAME, "event_name"),
        _own(Kind.SEVERITY, "severity_number"),
        _own(Kind.SEVERITY, "severity_text"),
        _own(Kind.TIMES, "time_unix_nano"),
        _own(Kind.TIMES, "observed_time_unix_nano"),
        _id("trace_id"),
        _id("span_id"),
        _own(Kind.FLAGS, "flags"),
        _own(Kind.DROPPED_COUNTS, "dropped_attributes_count"),
        *_OWNERS,
    ),
    Span: (
        _own(Kind.NAME, "name"),
        (Kind.SPAN_KIND, "kind", lambda span: span.kind),
        _own(Kind.STATUS, "status_code"),
        _own(Kind.STATUS, "status_message"),
        _own(Kind.TIMES, "start_time_unix_nano"),
        _own(Kind.TIMES, "end_time_unix_nano"),
        _id("trace_id"),
        _id("span_id"),
        _id("parent_span_id"),
        _own(Kind.TRACE_STATE, "trace_state"),
        _own(Kind.FLAGS, "flags"),
        (Kind.SPAN_EVENTS, "events", lambda span: span.events),
        (Kind.LINKS, "links", lambda span: span.links),
        _own(Kind.DROPPED_COUNTS, "dropped_attributes_count"),
        _own(Kind.DROPPED_COUNTS, "dropped_events_count"),
        _own(Kind.DROPPED_COUNTS, "dropped_links_count"),
        *_OWNERS,
    ),
}

_OF_ATTRIBUTES = tuple(kind for kind in Kind if kind.startswith(("attributes", "resource")))
#: The kinds of change that items of a signal may show.
KINDS: Mapping[Signal, Sequence[Kind]] = {
    signal: tuple(
        kind
        for kind in Kind
        if kind in _OF_ATTRIBUTES
        or kind in {each for each, _, _ in FIELDS[item]}
        or (kind is Kind.VALUE_TYPE and item is DataPoint)
    )
    for signal, item in (
        (Signal.METRICS, DataPoint),
        (Signal.LOGS, Event),
        (Signal.TRACES, Span),
    )
}


def has(item: Telemetry, kind: Kind) -> bool:
    """Return whether an item has anything in the fields of a kind: not 0, and not nothing."""
    return any(read(item) for each, _, read in FIELDS[type(item)] if each is kind)


def valid_id(text: str) -> str:
    """Return an id; one of zeros is none at all."""
    return text if text.strip("0") else ""


def name_of(item: Telemetry) -> str:
    """Return the name of a data point's metric, of an event or a span."""
    if isinstance(item, DataPoint):
        return item.metric.name
    if isinstance(item, Event):
        return event_name(item) or "(no name)"
    return item.name


def signal_of(item: Telemetry) -> Signal:
    """Return the signal that carries such an item."""
    if isinstance(item, DataPoint):
        return Signal.METRICS
    return Signal.LOGS if isinstance(item, Event) else Signal.TRACES


def attributes_key(attributes: Attributes) -> Hashable:
    """Return a value that is equal for equal attributes, types and repeated keys counted.

    It tells the same as ``Attributes.key``, but most values are strings, and those are quick.
    """
    pairs = attributes.pairs
    return len(pairs), frozenset(
        [pair if pair[1].__class__ is str else (pair[0], quick(pair[1])) for pair in pairs]
    )


def quick(value: Value) -> Hashable:
    """Return what :func:`typed` does, sooner for what is told apart by its class."""
    kind = value.__class__
    return (kind, value) if kind in _SIMPLE else typed(value)


_SIMPLE = frozenset({str, int, bool, bytes, type(None)})


class Keys:
    """Makes one value of a whole item, equal exactly when every facet is.

    Resources, scopes and metrics are shared by many items, and are looked at once.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        # The object is kept beside its number, so that no other gets its id.
        self._owners: dict[int, tuple[Resource | Scope | Metric, int]] = {}

    def of(self, item: Telemetry) -> Hashable:
        """Return the key of an item."""
        owners = self._number(item.resource), self._number(item.scope)
        attributes = attributes_key(item.attributes)
        if isinstance(item, DataPoint):
            return (
                *owners,
                self._number(item.metric),
                attributes,
                item.start_time_unix_nano,
                item.time_unix_nano,
                item.value.__class__,
                repr(item.value),
                item.flags,
                attributes_key(item.extra) if item.extra.pairs else (),
                typed(item.exemplars) if item.exemplars else (),
            )
        if isinstance(item, Event):
            body = quick(item.body)
            return (
                *owners,
                attributes,
                body,
                item.time_unix_nano,
                item.observed_time_unix_nano,
                item.severity_number,
                item.severity_text,
                item.event_name,
                valid_id(item.trace_id),
                valid_id(item.span_id),
                item.flags,
                item.dropped_attributes_count,
            )
        return (
            *owners,
            attributes,
            item.name,
            item.kind,
            item.status_code,
            item.status_message,
            item.start_time_unix_nano,
            item.end_time_unix_nano,
            valid_id(item.trace_id),
            valid_id(item.span_id),
            valid_id(item.parent_span_id),
            item.trace_state,
            item.flags,
            typed(item.events) if item.events else (),
            typed(item.links) if item.links else (),
            item.dropped_attributes_count,
            item.dropped_events_count,
            item.dropped_links_count,
        )

    def _number(self, owner: Resource | Scope | Metric) -> int:
        known = self._owners.get(id(owner))
        if known is None:
            number = self._numbers.setdefault(_owner_key(owner), len(self._numbers))
            known = self._owners[id(owner)] = (owner, number)
        return known[1]


def _owner_key(owner: Resource | Scope | Metric) -> Hashable:
    if isinstance(owner, Resource):
        return (
            Resource,
            attributes_key(owner.attributes),
            owner.schema_url,
            owner.dropped_attributes_count,
            owner.entities,
        )
    if isinstance(owner, Scope):
        attributes = attributes_key(owner.attributes)
        dropped = owner.dropped_attributes_count
        return Scope, owner.name, owner.version, attributes, owner.schema_url, dropped
    return owner


def attribute_sets(item: Telemetry) -> Iterator[tuple[str, Attributes]]:
    """Yield the sets of attributes of an item, each with what it is called."""
    yield "attributes", item.attributes
    yield "resource.attributes", item.resource.attributes
    yield "scope.attributes", item.scope.attributes
