"""The flattened model: every item carries its resource and its scope.

Values keep their OTLP type: ``stringValue`` is :class:`str`, ``boolValue`` is
:class:`bool`, ``intValue`` is :class:`int`, ``doubleValue`` is :class:`float`,
``bytesValue`` is :class:`bytes`, arrays are tuples, key-value lists are
:class:`Attributes`, an empty AnyValue is ``None``.  Times are Unix
nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Union

Value = Union[str, bool, int, float, bytes, None, tuple["Value", ...], "Attributes"]


class Signal(StrEnum):
    """What an export request carries, named as OTLP's paths name it."""

    METRICS = "metrics"
    LOGS = "logs"
    TRACES = "traces"


class Protocol(StrEnum):
    """The three OTLP transports, named as ``OTEL_EXPORTER_OTLP_PROTOCOL`` names them."""

    GRPC = "grpc"
    HTTP_PROTOBUF = "http/protobuf"
    HTTP_JSON = "http/json"


class Attributes(Mapping[str, Value]):
    """An attribute set as it came: order and repeated keys are kept in ``pairs``.

    As a mapping, the last of a repeated key wins.  Two sets are equal when the
    mappings are, whatever the order, and types count: int 1, double 1.0 and
    ``True`` differ, NaN equals NaN.  Against any other mapping, Python's own
    equality holds.
    """

    __slots__ = ("_key", "_map", "pairs")

    def __init__(self, pairs: tuple[tuple[str, Value], ...] = ()) -> None:
        self.pairs = pairs
        self._map = dict(pairs)
        self._key: frozenset[object] | None = None

    @property
    def key(self) -> frozenset[object]:
        """The set as one hashable value, typed: equal exactly when the sets are."""
        if self._key is None:
            self._key = frozenset((name, typed(value)) for name, value in self._map.items())
        return self._key

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Attributes):
            return self.key == other.key
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._map))

    def __getitem__(self, key: str) -> Value:
        return self._map[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def __repr__(self) -> str:
        return f"Attributes({self._map!r})"

    @property
    def repeated(self) -> tuple[str, ...]:
        """The keys that occur more than once (the data model forbids them)."""
        keys = [key for key, _ in self.pairs]
        return tuple(sorted({key for key in keys if keys.count(key) > 1}))


NO_ATTRIBUTES = Attributes()


def typed(value: Value) -> object:
    """Return ``value`` as a hashable that compares by type too, and NaN as equal to itself."""
    if isinstance(value, Attributes):
        return (Attributes, value.key)
    if isinstance(value, tuple):
        return (tuple, tuple(typed(item) for item in value))
    if isinstance(value, float):
        return (float, repr(value))
    return (type(value), value)


@dataclass(frozen=True, slots=True)
class Resource:
    """The process and machine that the telemetry is about, described by ``attributes``.

    ``entities`` are references: schema URL, type, keys of the id, keys of the description.
    """

    attributes: Attributes
    schema_url: str = ""
    dropped_attributes_count: int = 0
    entities: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope: the library that made the telemetry, and its version."""

    name: str
    version: str = ""
    attributes: Attributes = NO_ATTRIBUTES
    schema_url: str = ""
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """The identity of a metric.

    ``type`` is ``sum``, ``gauge``, ``histogram``, ``exponential_histogram``, ``summary`` or
    ``""`` (no data); ``temporality`` is ``delta``, ``cumulative``, ``unspecified`` or ``""``
    where the type has none.
    """

    name: str
    description: str
    unit: str
    type: str
    temporality: str
    monotonic: bool | None
    metadata: Attributes = NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class DataPoint:
    """One data point of a metric.

    ``value`` is an int or a float as sent (``None``: neither was); histograms and summaries put
    their fields, as a mapping, in ``extra``. An exemplar is the mapping of its fields.
    """

    resource: Resource
    scope: Scope
    metric: Metric
    attributes: Attributes
    start_time_unix_nano: int
    time_unix_nano: int
    value: int | float | None
    flags: int = 0
    extra: Attributes = NO_ATTRIBUTES
    exemplars: tuple[Attributes, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One log record.  ``event_name`` is the protocol's own field (``""`` when unset)."""

    resource: Resource
    scope: Scope
    body: Value
    attributes: Attributes
    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    event_name: str
    trace_id: str
    span_id: str
    flags: int = 0
    dropped_attributes_count: int = 0


class SpanEvent(NamedTuple):
    """Something that happened at a time within a span."""

    name: str
    time_unix_nano: int
    attributes: Attributes
    dropped_attributes_count: int = 0


class SpanLink(NamedTuple):
    """Another span that a span refers to."""

    trace_id: str
    span_id: str
    attributes: Attributes
    trace_state: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """One span; ids are lower-case hex.

    ``flags`` are those of W3C's trace context and whether the parent is remote, ``trace_state``
    is its header.
    """

    resource: Resource
    scope: Scope
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_span_id: str
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: Attributes
    status_code: int
    status_message: str
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    flags: int = 0
    trace_state: str = ""
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0
