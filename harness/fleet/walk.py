"""Judge the items of one resource and scope in one message, by the plans of their shapes.

Everything that is done for each item is in these loops, and as little as can be.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from ..findings import Finding
from ..otlp.model import Signal
from . import wire
from .exact import ItemView
from .files import Message
from .plans import VALUE, Plan
from .release import Owner, Release

_SESSION, _USER, _SEQUENCE = "session.id", "user.id", "event.sequence"

#: Attributes of a prompt of which each prompt has its own.
_OF_PROMPTS = ("prompt.id", "message.uuid")

Item = wire.Record | wire.Span | tuple[wire.Metric, wire.Point]


def with_item(signal: Signal, scope: msgspec.Raw) -> wire.Block:
    """Return a block with one empty item, without which its resource and scope are not seen."""
    match signal:
        case Signal.LOGS:
            return wire.Block(scope=scope, log_records=[wire.Record()])
        case Signal.METRICS:
            empty = wire.Metric(sum=wire.Numbers(data_points=[wire.Point()]))
            return wire.Block(scope=scope, metrics=[empty])
    return wire.Block(scope=scope, spans=[wire.Span()])


def block_of(item: Item) -> wire.Block:
    """Return a block with nothing but an item in it."""
    if isinstance(item, wire.Record):
        return wire.Block(log_records=[item])
    if isinstance(item, wire.Span):
        return wire.Block(spans=[item])
    return wire.Block(metrics=[_with_point(*item)])


class Walk:
    """The items of one resource and one scope in one message."""

    def __init__(
        self,
        release: Release,
        signal: Signal,
        resource: msgspec.Raw,
        scope: msgspec.Raw,
        message: Message,
    ) -> None:
        self._release = release
        self._signal = signal
        self._resource = resource
        self._scope = scope
        self._message = message
        self._plans = release.plans[signal]
        self._where_keys = release.where_keys[signal]

    def owner(self, owner: Owner) -> None:
        """Note what the resource and the scope break."""
        owner.count += 1
        for requirement in owner.broken:
            self._release.broken(requirement, lambda: self._view(with_item(*self._place)))

    @property
    def _place(self) -> tuple[Signal, msgspec.Raw]:
        return self._signal, self._scope

    def _view(self, block: wire.Block) -> ItemView:
        block.scope = self._scope
        return self._release.view(self._signal, self._resource, block, self._message.where)

    def _view_of(self, item: Item) -> ItemView:
        return self._view(block_of(item))

    def records(self, records: list[wire.Record]) -> None:
        """Judge log records."""
        release, where_keys, plans = self._release, self._where_keys, self._plans
        release.items[Signal.LOGS] += len(records)
        sessions = release.sessions
        for record in records:
            names, kinds, values = attributes_of(record.attributes)
            body = record.body.string_value
            name = values.get("event.name")
            key: Any = (
                *(names, kinds, name, record.body.other() if body is None else body),
                *(record.event_name, record.severity_number),
                *[values.get(key) for key in where_keys],
            )
            try:
                plan = plans.get(key)
            except TypeError:  # a list or a map where a text is meant
                key = repr(key)
                plan = plans.get(key)
            if plan is None:
                plan = self._new_plan(key, record, record.attributes, "")
            plan.count += 1
            for field, good, slot in plan.slots:
                value = values[field]
                if value not in good:
                    for requirement in slot.failing(value):
                        release.broken(requirement, partial(self._view_of, record))
            if plan.rare:
                self._rare(plan, record)
            time = int(record.time_unix_nano)
            if plan.tests:
                self._tested(plan, values, 0, time, record)
            if plan.in_session:
                where = (self._message, name)
                session = sessions.heard("events", values[_SESSION], values.get(_USER), where)
                if plan.numbered:
                    sessions.number(session, values[_SEQUENCE], time, where)
                if name == "user_prompt":
                    for field in _OF_PROMPTS:
                        if field in values:
                            sessions.unique(field, values[_SESSION], values[field], where)

    def _new_plan(
        self, key: object, item: Item, attributes: list[wire.Pair], value_kind: str
    ) -> Plan:
        kinds = {pair.key: _kind(pair.value) for pair in attributes}
        if value_kind:
            kinds[VALUE] = value_kind
        return self._release.plan(self._signal, key, kinds, lambda: self._view_of(item))

    def _rare(self, plan: Plan, item: Item) -> None:
        """Judge what few items have: a list among their values, or a shape that is broken."""
        for requirement in plan.broken:
            self._release.broken(requirement, lambda: self._view_of(item))
        if plan.odd:
            attributes = self._view_of(item).item.view["attributes"]
            for slot in plan.odd:
                for requirement in slot.failing(attributes[slot.key]):
                    self._release.broken(requirement, lambda: self._view_of(item))

    def _tested(
        self, plan: Plan, values: dict[str, Any], start: int, time: int, item: Item
    ) -> None:
        for requirement, test in plan.tests:
            answer = test(values, start, time)
            if answer is None:
                self._release.looked(requirement.name, -1)
            elif not answer:
                self._release.broken(requirement, lambda: self._view_of(item))

    def metric(self, metric: wire.Metric) -> None:
        """Judge the data points of a metric."""
        data = metric.sum or metric.gauge
        if data is None:
            return
        release, where_keys, plans = self._release, self._where_keys, self._plans
        release.items[Signal.METRICS] += len(data.data_points)
        identity = (
            *(metric.name, metric.description, metric.unit, metric.sum is None),
            *(data.aggregation_temporality, data.is_monotonic),
        )
        sessions = release.sessions
        delta = data.aggregation_temporality == 1
        once = release.together.get(("one_point_per_stream",))
        streams: set[int] = set()
        where = (self._message, metric.name)
        for point in data.data_points:
            names, kinds, values = attributes_of(point.attributes)
            in_order = tuple(values.items())
            value_kind = _put_value(values, point)
            key: Any = (names, kinds, identity, value_kind, *[values.get(k) for k in where_keys])
            try:
                plan = plans.get(key)
                stream = hash((metric.name, in_order))
            except TypeError:
                key = repr(key)
                plan, stream = plans.get(key), hash(repr(in_order))
            if plan is None:
                plan = self._new_plan(key, (metric, point), point.attributes, value_kind)
            plan.count += 1
            for field, good, slot in plan.slots:
                value = values[field]
                if value not in good:
                    for requirement in slot.failing(value):
                        release.broken(requirement, partial(self._view_of, (metric, point)))
            if plan.rare:
                self._rare(plan, (metric, point))
            start, time = int(point.start_time_unix_nano), int(point.time_unix_nano)
            if plan.tests:
                self._tested(plan, values, start, time, (metric, point))
            if plan.in_session:
                sessions.heard("metrics", values[_SESSION], values.get(_USER), where)
                if delta:
                    sessions.window(stream, start, time, where)
            if once is not None:
                if stream in streams:
                    release.note(once.name, _twice(where))
                streams.add(stream)
        if once is not None:
            release.looked(once.name, len(data.data_points))

    def spans(self, spans: list[wire.Span]) -> None:
        """Judge spans: by their names and those of their attributes."""
        self._release.items[Signal.TRACES] += len(spans)
        plans = self._plans
        for span in spans:
            names = [pair.key for pair in span.attributes]
            inner = [
                (event.get("name"), *(pair.get("key") for pair in event.get("attributes") or ()))
                for event in span.events
            ]
            key = (tuple(names), span.name, tuple(inner))
            plan = plans.get(key) or self._new_plan(key, span, span.attributes, "")
            plan.count += 1
            if plan.rare:
                self._rare(plan, span)


def attributes_of(
    pairs: list[wire.Pair],
) -> tuple[tuple[str, ...], tuple[int | str, ...], dict[str, Any]]:
    """Return the names of attributes, the types of those that are no texts, and their values.

    A type is the place of the attribute, with the name of the type after it if it is no integer.
    Raises ValueError for a number that is none.
    """
    names = [pair.key for pair in pairs]
    values: list[Any] = [pair.value.string_value for pair in pairs]
    if None not in values:
        return tuple(names), (), dict(zip(names, values, strict=True))
    kinds: list[int | str] = []
    for index, text in enumerate(values):
        if text is None:
            value = pairs[index].value
            number = value.int_value
            if number is not None:
                values[index] = int(number)
                kinds.append(index)
            else:
                kind, values[index] = value.other()
                kinds += (index, kind)
    return tuple(names), tuple(kinds), dict(zip(names, values, strict=True))


def _kind(value: wire.Value) -> str:
    return "stringValue" if value.string_value is not None else value.other()[0]


def _put_value(values: dict[str, Any], point: wire.Point) -> str:
    """Put the value of a point among its attributes, and return its type."""
    if point.as_double is not None:
        values[VALUE] = wire.double(point.as_double)
        return "asDouble"
    if point.as_int is not None:
        values[VALUE] = int(point.as_int)
        return "asInt"
    return ""


def _twice(where: tuple[Message, object]) -> Finding:
    message, name = where
    return Finding("one data point of each stream", "a second one", f"{message.where} · {name}")


def _with_point(metric: wire.Metric, point: wire.Point) -> wire.Metric:
    """Return a metric with one point only."""
    data = metric.sum or metric.gauge
    assert data is not None
    numbers = wire.Numbers([point], data.aggregation_temporality, data.is_monotonic)
    return wire.Metric(
        metric.name,
        metric.description,
        metric.unit,
        sum=numbers if metric.sum else None,
        gauge=None if metric.sum else numbers,
    )
