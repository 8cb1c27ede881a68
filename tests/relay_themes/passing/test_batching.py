"""Properties: batches, order and encoding are nothing; every change of one item is something."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from harness.capture.capture import Capture
from harness.otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from harness.otlp.model import Protocol
from harness.relay_themes.passing.measures import passed, unchanged

#: A fixture of the session is the same for every example.
_SETTINGS = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_TIME = 1_795_737_253_818_000_000
#: Resource attributes, scope, metric (None for others), record: an item by itself.
Loose = tuple[Any, Any, Any, Any]

names = st.sampled_from(("one", "two", "claude_code.three"))
texts = st.text(max_size=6)
scalars: st.SearchStrategy[Any] = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.just([]),
    st.lists(texts, max_size=2),
    st.none(),
    st.binary(max_size=4),
)
attributes = st.dictionaries(texts.filter(bool), scalars, max_size=4)


def any_value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            made = AnyValue()
            made.array_value.SetInParent()
            made.array_value.values.extend(map(any_value, value))
            return made
        case _:
            return AnyValue()


def fill(pairs: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        pairs.add(key=key).value.CopyFrom(any_value(value))


@st.composite
def metric_requests(draw: st.DrawFn) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for number in range(draw(st.integers(1, 6))):
        group = request.resource_metrics.add()
        fill(group.resource.attributes, draw(attributes))
        block = group.scope_metrics.add()
        block.scope.name, block.scope.version = draw(names), draw(texts)
        metric = block.metrics.add(name=draw(names), unit=draw(texts), description=draw(texts))
        kind = draw(st.sampled_from(("sum", "gauge")))
        data = getattr(metric, kind)
        if kind == "sum":
            data.aggregation_temporality = draw(st.sampled_from((1, 2)))
            data.is_monotonic = draw(st.booleans())
        point = data.data_points.add(time_unix_nano=_TIME + number, start_time_unix_nano=_TIME)
        if draw(st.booleans()):
            point.as_int = draw(st.integers(-(2**63), 2**63 - 1))
        else:
            point.as_double = draw(st.floats())
        fill(point.attributes, draw(attributes))
    return request


@st.composite
def log_requests(draw: st.DrawFn) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for number in range(draw(st.integers(1, 6))):
        group = request.resource_logs.add()
        fill(group.resource.attributes, draw(attributes))
        block = group.scope_logs.add()
        block.scope.name = draw(names)
        record = block.log_records.add(
            time_unix_nano=_TIME + number,
            severity_number=draw(st.integers(0, 24)),
            severity_text=draw(texts),
            event_name=draw(st.sampled_from(("", "one"))),
        )
        record.body.CopyFrom(any_value(draw(scalars)))
        fill(record.attributes, draw(attributes))
    return request


@st.composite
def trace_requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for number in range(draw(st.integers(1, 6))):
        group = request.resource_spans.add()
        fill(group.resource.attributes, draw(attributes))
        block = group.scope_spans.add()
        span = block.spans.add(
            name=draw(names),
            kind=draw(st.integers(0, 5)),
            trace_id=draw(st.binary(min_size=16, max_size=16)),
            span_id=bytes([number + 1]) * 8,
            start_time_unix_nano=_TIME + number,
            end_time_unix_nano=_TIME + number + 1,
        )
        span.status.message = draw(texts)
        event = span.events.add(name=draw(texts), time_unix_nano=_TIME)
        fill(event.attributes, draw(attributes))
        span.links.add(trace_id=b"\x02" * 16, span_id=b"\x02" * 8)
        fill(span.attributes, draw(attributes))
    return request


requests = st.one_of(metric_requests(), log_requests(), trace_requests())


def loose(request: Request) -> Iterator[Loose]:
    """Take a request apart."""
    for group in (
        *getattr(request, "resource_metrics", ()),
        *getattr(request, "resource_logs", ()),
        *getattr(request, "resource_spans", ()),
    ):
        for block in getattr(group, "scope_metrics", ()):
            for metric in block.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    yield group, block, metric, point
        for block in getattr(group, "scope_logs", ()):
            yield from ((group, block, None, record) for record in block.log_records)
        for block in getattr(group, "scope_spans", ()):
            yield from ((group, block, None, span) for span in block.spans)


def batched(kind: type[Request], items: Sequence[Loose], sizes: random.Random) -> list[Request]:
    """Put items into new requests, by two or three, each in groups of its own."""
    made: list[Request] = []
    for number, (group, block, metric, record) in enumerate(items):
        if number == 0 or sizes.random() < 0.4:
            made.append(kind())
        request: Any = made[-1]
        if metric is not None:
            other = request.resource_metrics.add()
            inner = other.scope_metrics.add()
            copied = inner.metrics.add()
            copied.CopyFrom(metric)
            points = getattr(copied, metric.WhichOneof("data")).data_points
            del points[:]
            points.add().CopyFrom(record)
        elif kind is ExportLogsServiceRequest:
            other = request.resource_logs.add()
            inner = other.scope_logs.add()
            inner.log_records.add().CopyFrom(record)
        else:
            other = request.resource_spans.add()
            inner = other.scope_spans.add()
            inner.spans.add().CopyFrom(record)
        other.resource.CopyFrom(group.resource)
        pairs = list(other.resource.attributes)
        sizes.shuffle(pairs)
        copies = [type(pair).FromString(pair.SerializeToString()) for pair in pairs]
        del other.resource.attributes[:]
        other.resource.attributes.extend(copies)
        inner.scope.CopyFrom(block.scope)
        inner.schema_url = block.schema_url
    return made


def found(capture: Capture) -> dict[str, int]:
    """What is not as it should be: lost, repeated and made up items, and changes by kind."""
    counts: dict[str, int] = {}
    for item in passed(capture):
        for word in ("lost", "repeated", "made_up"):
            if item.view[word]:
                counts[word] = counts.get(word, 0) + item.view[word]
    for item in unchanged(capture):
        if item.view["changed"]:
            kind = item.view["kind"]
            counts[kind] = counts.get(kind, 0) + item.view["changed"]
    return counts


@_SETTINGS
@given(request=requests, seed=st.randoms(use_true_random=False), out=st.sampled_from(Protocol))
def test_batches_order_and_encoding_are_no_change(
    make: Callable[..., Capture], request: Request, seed: random.Random, out: Protocol
) -> None:
    items = list(loose(request))
    seed.shuffle(items)
    came = batched(type(request), items, seed)
    capture = make([request], {"grpc": came}, out=out)
    assert found(capture) == {}
    (sent, arrived) = (sum(i.view[word] for i in passed(capture)) for word in ("sent", "arrived"))
    assert sent == arrived == len(items)


@_SETTINGS
@given(request=requests, seed=st.randoms(use_true_random=False))
def test_what_is_removed_is_lost_and_what_is_doubled_is_repeated(
    make: Callable[..., Capture], request: Request, seed: random.Random
) -> None:
    items = list(loose(request))
    one = seed.randrange(len(items))
    without = batched(type(request), items[:one] + items[one + 1 :], seed)
    assert found(make([request], {"grpc": without})) == {"lost": 1}
    twice = batched(type(request), [*items, items[one]], seed)
    assert found(make([request], {"grpc": twice})) == {"repeated": 1}


def _unit(item: Loose) -> None:
    item[2].unit += "x"


def _value(item: Loose) -> None:
    item[3].as_int = 77 if item[3].as_int != 77 else 78


def _attribute(item: Loose) -> None:
    item[3].attributes.add(key="a key of more than six").value.string_value = "x"


def _resource(item: Loose) -> None:
    item[0].resource.attributes.add(key="a key of more than six").value.string_value = "x"


def _scope(item: Loose) -> None:
    item[1].scope.name += "x"


def _set(name: str, change: Callable[[Any], Any]) -> Callable[[Loose], None]:
    return lambda item: setattr(item[3], name, change(getattr(item[3], name)))


_OF_ALL = (
    (_attribute, "attributes_added"),
    (_resource, "resource_added"),
    (_scope, "scope"),
    (_set("flags", lambda was: was + 1), "flags"),
    (lambda item: item[0].resource.entity_refs.add(type="host"), "entities"),
    (lambda item: setattr(item[0].resource, "dropped_attributes_count", 3), "dropped_counts"),
    (lambda item: setattr(item[1].scope, "dropped_attributes_count", 3), "dropped_counts"),
)
_OF_METRICS = (
    *_OF_ALL,
    (_unit, "unit"),
    (_value, "value"),
    (lambda item: setattr(item[2], "description", item[2].description + "x"), "description"),
    (lambda item: setattr(item[2], "name", "another"), "name"),
    (_set("time_unix_nano", lambda was: was + 1_000_000), "times"),
    (_set("start_time_unix_nano", lambda was: was + 1_000_000), "times"),
    (lambda item: item[3].exemplars.add(as_int=3), "exemplars"),
    (lambda item: item[3].exemplars.add(time_unix_nano=3), "exemplars"),
    (lambda item: item[2].metadata.add(key="a key"), "metadata"),
)
_OF_LOGS = (
    *_OF_ALL,
    (_set("time_unix_nano", lambda was: was + 1_000_000), "times"),
    (_set("observed_time_unix_nano", lambda was: was + 1_000_000), "times"),
    (_set("severity_number", lambda was: (was + 1) % 25), "severity"),
    (_set("severity_text", lambda was: was + "x"), "severity"),
    (_set("event_name", lambda was: was + "x"), "event_name"),
    (_set("trace_id", lambda was: b"\x01" * 16), "ids"),
    (lambda item: setattr(item[3].body, "string_value", "longer than six"), "body"),
    (_set("dropped_attributes_count", lambda was: was + 3), "dropped_counts"),
)
_OF_TRACES = (
    *_OF_ALL,
    (_set("name", lambda was: was + "x"), "name"),
    (_set("kind", lambda was: (was + 1) % 6), "span_kind"),
    (_set("span_id", lambda was: b"\x63" * 8), "ids"),
    (_set("trace_state", lambda was: was + "x=y"), "trace_state"),
    (_set("end_time_unix_nano", lambda was: was + 1_000_000), "times"),
    (lambda item: setattr(item[3].status, "code", 2), "status"),
    (lambda item: item[3].ClearField("events"), "span_events"),
    (lambda item: item[3].links.add(trace_id=b"\x01" * 16), "links"),
    (lambda item: setattr(item[3].links[0], "flags", 1), "links"),
    (lambda item: setattr(item[3].links[0], "trace_state", "x=y"), "links"),
    (lambda item: setattr(item[3].links[0], "dropped_attributes_count", 3), "links"),
    (lambda item: setattr(item[3].events[0], "dropped_attributes_count", 3), "span_events"),
    (_set("dropped_attributes_count", lambda was: was + 3), "dropped_counts"),
    (_set("dropped_events_count", lambda was: was + 3), "dropped_counts"),
    (_set("dropped_links_count", lambda was: was + 3), "dropped_counts"),
)
_CHANGES: dict[type[Request], tuple[tuple[Any, str], ...]] = {
    ExportMetricsServiceRequest: _OF_METRICS,
    ExportLogsServiceRequest: _OF_LOGS,
    ExportTraceServiceRequest: _OF_TRACES,
}


@settings(_SETTINGS, max_examples=100)
@given(request=requests, seed=st.randoms(use_true_random=False), data=st.data())
def test_a_change_of_one_field_is_found_as_what_it_is(
    make: Callable[..., Capture], request: Request, seed: random.Random, data: st.DataObject
) -> None:
    change, kind = data.draw(st.sampled_from(_CHANGES[type(request)]), label="change")
    copied: Any = type(request)()
    copied.CopyFrom(request)
    items = list(loose(copied))
    change(items[seed.randrange(len(items))])
    seed.shuffle(items)
    came = batched(type(request), items, seed)
    counts = found(make([request], {"grpc": came}))
    if kind == "value":  # An int may have taken the place of the same number as a double.
        counts = {word.removesuffix("_type"): count for word, count in counts.items()}
    assert counts == {kind: 1}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("13", 13, "attributes_retyped"),
        (13, "13", "attributes_retyped"),
        (1, 1.0, "attributes_retyped"),
        (1.5, "1.5", "attributes_retyped"),
        (True, "true", "attributes_retyped"),
        (True, 1, "attributes_retyped"),
        ([], "[]", "attributes_retyped"),
        (["a"], '["a"]', "attributes_retyped"),
        ("13", 14, "attributes_changed"),
        ("a", "b", "attributes_changed"),
        (0.1 + 0.2, 0.3, "attributes_changed"),
        ("", None, "attributes_changed"),
        (["a"], ["a", "b"], "attributes_changed"),
    ],
)
def test_a_type_is_told_from_a_value(
    make: Callable[..., Capture], before: Any, after: Any, kind: str
) -> None:
    def request(value: Any) -> Request:
        made = ExportLogsServiceRequest()
        record = made.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=_TIME)
        fill(record.attributes, {"event.name": "tool_result", "duration_ms": value})
        return made

    assert found(make([request(before)], {"grpc": [request(after)]})) == {kind: 1}
