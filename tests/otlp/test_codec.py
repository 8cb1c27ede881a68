"""Both encodings, held to each other and to the official encoders."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from harness.otlp import flatten
from harness.otlp.codec import decode_request, encode
from harness.otlp.envelope import MOST_OBJECTS, WHOLE_BYTES, check_outline, check_request
from harness.otlp.errors import DecodeError, TooLarge
from harness.otlp.messages import (
    REQUESTS,
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
    signal_of,
)
from harness.otlp.model import Attributes, Signal, typed

if TYPE_CHECKING:
    from tests.otlp.conftest import Official

_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 7),
    # JSON knows one NaN only, protobuf every one of them.
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False) | st.just(math.nan),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}


def _scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=17)
    return _NUMBERS[field.cpp_type]


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> dict[str, Any]:
    """Keyword arguments for a message: any fields of it, one of each oneof at most."""
    chosen: dict[str, Any] = {}
    oneofs: set[str] = set()
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and oneof.name in oneofs:
            continue
        # Few alternatives at the bottom, so that draws end; items near the top, so that
        # they are reached at all.
        wanted = 1 if depth < 2 and field.is_repeated else 0
        if not wanted and not draw(st.booleans()):
            continue
        if field.message_type is not None:
            if depth > 7:
                continue
            inner = messages(field.message_type, depth + 1)
        else:
            inner = _scalars(field)
        if oneof is not None:
            oneofs.add(oneof.name)
        values = st.lists(inner, min_size=wanted, max_size=2) if field.is_repeated else inner
        chosen[field.name] = draw(values)
    return chosen


requests: st.SearchStrategy[Request] = st.sampled_from(list(Signal)).flatmap(
    lambda signal: messages(REQUESTS[signal].DESCRIPTOR).map(lambda of: REQUESTS[signal](**of))
)


def flat(message: Request) -> tuple[object, ...]:
    """The flattened items, comparable: NaN equals itself, and types count."""
    items: tuple[object, ...]
    if isinstance(message, ExportMetricsServiceRequest):
        items = flatten.data_points(message)
    elif isinstance(message, ExportLogsServiceRequest):
        items = flatten.events(message)
    else:
        items = flatten.spans(message)
    return tuple(
        tuple(typed(getattr(item, name)) for name in type(item).__dataclass_fields__)
        for item in items
    )


@given(requests)
def test_json_brings_back_what_protobuf_brings_back(message: Request) -> None:
    signal = signal_of(message)
    in_protobuf = encode(message, Encoding.PROTOBUF)
    in_json = encode(message, Encoding.JSON)

    from_protobuf = decode_request(signal, Encoding.PROTOBUF, in_protobuf)
    from_json = decode_request(signal, Encoding.JSON, in_json)

    # By their bytes, for NaN is not equal to itself.
    assert from_json.message.SerializeToString(deterministic=True) == (
        from_protobuf.message.SerializeToString(deterministic=True)
    )
    assert from_json.notes == ()
    assert flat(from_json.message) == flat(from_protobuf.message)
    assert b"\n" not in in_json
    assert encode(from_json.message, Encoding.JSON) == in_json


def refusal(signal: Signal, encoding: Encoding, body: bytes) -> str:
    """Why a collector refuses the body; empty where it does not."""
    if encoding is Encoding.JSON:
        body += b" " * WHOLE_BYTES  # so that it is more than is decoded as a whole
    try:
        check_request(signal, encoding, body)
    except DecodeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("encoding", Encoding)
@given(message=requests)
def test_a_collector_takes_every_request(encoding: Encoding, message: Request) -> None:
    signal = signal_of(message)
    assert refusal(signal, encoding, encode(message, encoding)) == ""
    check_outline(signal, message.SerializeToString())


def read(signal: Signal, encoding: Encoding, body: bytes) -> Request | None:
    """The request, or None if it was refused as it should be; other errors are ours."""
    try:
        return decode_request(signal, encoding, body).message
    except DecodeError:
        return None


@given(st.binary(max_size=60), st.sampled_from(list(Signal)))
def test_what_can_be_decoded_a_collector_takes(body: bytes, signal: Signal) -> None:
    assert read(signal, Encoding.JSON, body) in (None, REQUESTS[signal]())
    taken = read(signal, Encoding.PROTOBUF, body) is not None
    assert taken is (refusal(signal, Encoding.PROTOBUF, body) == "")
    if taken:
        check_outline(signal, body)


@given(requests, st.data())
def test_damage_is_refused_if_it_cannot_be_decoded(message: Request, data: st.DataObject) -> None:
    """A collector validates with copies of the messages; they refuse what OTLP's own refuse."""
    body = bytearray(message.SerializeToString())
    for place in data.draw(st.lists(st.integers(0, max(len(body) - 1, 0)), max_size=3)):
        body[place : place + 1] = data.draw(st.binary(max_size=2))
    signal = signal_of(message)
    taken = read(signal, Encoding.PROTOBUF, bytes(body)) is not None
    assert taken is (refusal(signal, Encoding.PROTOBUF, bytes(body)) == "")


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceLogs",
                    "scopeLogs",
                    "logRecords",
                    "body",
                    "resource",
                    "attributes",
                    "value",
                    "key",
                    "intValue",
                    "doubleValue",
                    "arrayValue",
                    "values",
                    "spanId",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(_json_values)
def test_any_json_is_refused_with_our_error_or_read(value: object) -> None:
    body = json.dumps(value).encode()
    request = read(Signal.LOGS, Encoding.JSON, body)
    if request is not None:
        assert refusal(Signal.LOGS, Encoding.JSON, body) == ""
        assert isinstance(value, dict)
        again = decode_request(Signal.LOGS, Encoding.JSON, encode(request, Encoding.JSON))
        assert flat(again.message) == flat(request)


def test_the_official_encoders_agree_with_us(official: Official[Request]) -> None:
    decoded = decode_request(official.signal, Encoding.JSON, official.json)

    assert decoded.message == official.message
    assert decoded.notes == ()
    # Whole doubles are written "2" by the one and "2.0" by the other: equal as JSON.
    assert json.loads(encode(official.message, Encoding.JSON)) == json.loads(official.json)


def test_every_cut_of_a_protobuf_body_is_refused(official: Official[Request]) -> None:
    body = official.message.SerializeToString()
    cuts = [body[:end] for end in range(1, len(body))]
    # One resource group: no cut falls between two of them, and the outermost length
    # gives every cut away, to the outline as well.
    for cut in cuts:
        assert read(official.signal, Encoding.PROTOBUF, cut) is None
        with pytest.raises(DecodeError):
            check_outline(official.signal, cut)
    assert len(cuts) > 100


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("signal", Signal)
def test_an_empty_request_is_valid(signal: Signal, encoding: Encoding) -> None:
    body = b"{}" if encoding is Encoding.JSON else b""
    decoded = decode_request(signal, encoding, body)
    assert decoded.message == REQUESTS[signal]()


@pytest.mark.parametrize("body", [b"\x0a\x05abc", b"<html>", b"\xff\xff", b"\x0a\x03\x12\x05a"])
def test_what_is_no_protobuf_has_no_outline(body: bytes) -> None:
    with pytest.raises(DecodeError, match="no export request for logs"):
        check_outline(Signal.LOGS, body)


def test_every_cut_of_a_json_body_is_refused(official: Official[Request]) -> None:
    body = encode(official.message, Encoding.JSON)
    assert refusal(official.signal, Encoding.JSON, body) == ""
    for end in range(len(body)):
        assert refusal(official.signal, Encoding.JSON, body[:end]), body[:end]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"a":"\xff"}]}]}]}', "not UTF-8"),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"a":nul}]}]}]}', "not JSON"),
        (b'{"resourceLogs":[{"scopeLogs":[{"logRecords":3}]}]}', r"logRecords: expected an array"),
        (b'{"resourceLogs":[null]}', "null is no element"),
        (b"[]", "expected an object"),
    ],
)
def test_json_that_is_refused_says_where(body: bytes, reason: str) -> None:
    assert re.search(reason, refusal(Signal.LOGS, Encoding.JSON, body))


@pytest.mark.parametrize("body", [b'{"resourceLogs":null}', b'{"x":"\\ud800"}', b'{"a":1,"a":2}'])
def test_odd_json_that_can_be_decoded_is_taken(body: bytes) -> None:
    assert read(Signal.LOGS, Encoding.JSON, body) is not None
    assert refusal(Signal.LOGS, Encoding.JSON, body) == ""


def test_what_is_wrong_within_an_item_is_found_in_json_of_a_common_size() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"intValue":{}}}]}]}]}'
    with pytest.raises(DecodeError, match=r"logRecords\[0\]\.body\.intValue"):
        check_request(Signal.LOGS, Encoding.JSON, body)
    assert refusal(Signal.LOGS, Encoding.JSON, body) == "", "and in more when it is decoded"


def test_json_that_grows_in_memory_is_refused() -> None:
    body = b'{"x":[' + b"{}," * MOST_OBJECTS + b"{}]}"
    with pytest.raises(TooLarge, match="more than 1,000,000 objects"):
        check_request(Signal.LOGS, Encoding.JSON, body)


def test_metrics_flatten_with_all_their_types(
    official_metrics: Official[ExportMetricsServiceRequest],
) -> None:
    points = {point.metric.name: point for point in flatten.data_points(official_metrics.message)}

    tokens = points["claude_code.token.usage"]
    assert (tokens.metric.type, tokens.metric.temporality, tokens.metric.monotonic) == (
        "sum",
        "delta",
        True,
    )
    assert (tokens.metric.unit, tokens.metric.description) == ("tokens", "Used")
    assert tokens.value == 2**60
    assert type(tokens.value) is int
    assert tokens.scope.name == "com.anthropic.claude_code"
    assert tokens.scope.version == "2.1.31"
    assert tokens.resource.attributes["tags"] == ("a", "b")
    assert tokens.resource.attributes["host.cpus"] == 2
    assert 0 < tokens.start_time_unix_nano <= tokens.time_unix_nano

    assert points["claude_code.cost.usage"].value == 0.25
    assert points["claude_code.cost.usage"].attributes["flag"] is True
    assert points["level"].metric.monotonic is False
    assert points["level"].metric.temporality == "cumulative"
    assert (points["gauge"].metric.type, points["gauge"].metric.temporality) == ("gauge", "")

    plain = points["plain"]
    assert (plain.metric.type, plain.value) == ("histogram", None)
    assert plain.extra["count"] == 1
    assert plain.extra["sum"] == plain.extra["min"] == plain.extra["max"] == 12.5
    counts, bounds = plain.extra["bucket_counts"], plain.extra["explicit_bounds"]
    assert isinstance(counts, tuple)
    assert isinstance(bounds, tuple)
    assert len(counts) == len(bounds) + 1
    assert (counts.count(1), counts.count(0)) == (1, len(counts) - 1)

    expo = points["expo"]
    assert expo.metric.type == "exponential_histogram"
    assert expo.extra["zero_count"] == 0
    positive = expo.extra["positive"]
    assert isinstance(positive, Attributes)
    assert positive["bucket_counts"] == (1,)


def test_a_summary_and_a_metric_without_data_flatten() -> None:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name="nothing")
    summary = scope.metrics.add(name="summary").summary.data_points.add(count=2, sum=3.0)
    summary.quantile_values.add(quantile=0.5, value=1.5)
    empty = scope.metrics.add(name="sum")
    empty.sum.aggregation_temporality = 9  # type: ignore[assignment]  # unknown on purpose
    empty.sum.data_points.add()

    first, second = flatten.data_points(request)

    assert first.extra == {"count": 2, "sum": 3.0, "quantiles": ((0.5, 1.5),)}
    assert (second.value, second.metric.temporality) == (None, "9")


def test_events_flatten(official_logs: Official[ExportLogsServiceRequest]) -> None:
    first, second = flatten.events(official_logs.message)

    assert first.body == "claude_code.user_prompt"
    assert first.attributes == {
        "event.name": "user_prompt",
        "prompt_length": 5,
        "cost_usd": 0.5,
        "ok": True,
    }
    assert first.time_unix_nano == 1_700_000_000_123_000_000
    assert first.scope.name == "com.anthropic.claude_code.events"
    assert second.attributes["bytes"] == b"\x00\xff"
    assert second.attributes["list"] == ("a", "ü")
    assert second.attributes["map"] == {"n": 2**62}


def test_spans_flatten(official_traces: Official[ExportTraceServiceRequest]) -> None:
    inner, outer = flatten.spans(official_traces.message)

    assert (outer.name, inner.name) == ("outer", "inner")
    assert inner.trace_id == outer.trace_id
    assert len(outer.trace_id) == 32
    assert inner.parent_span_id == outer.span_id
    assert outer.parent_span_id == ""
    assert (inner.status_code, inner.status_message) == (2, "went wrong")
    (link,) = inner.links
    assert link[:3] == (outer.trace_id, outer.span_id, Attributes((("why", "test"),)))
    assert [(event.name, dict(event.attributes)) for event in outer.events] == [
        ("something", {"n": 1})
    ]


def test_attributes_compare_by_type_and_keep_repeats() -> None:
    make: Callable[..., Attributes] = lambda *pairs: Attributes(pairs)  # noqa: E731
    assert make(("a", 1), ("b", "x")) == make(("b", "x"), ("a", 1))
    assert len({make(("a", 1)), make(("a", 1)), make(("a", 1.0)), make(("a", True))}) == 3
    assert make(("a", math.nan)) == make(("a", math.nan))
    assert make(("a", make(("n", 1)))) != make(("a", make(("n", 1.0))))
    assert make(("a", (1,))) != make(("a", (True,)))
    repeated = make(("a", 1), ("a", 2))
    assert (repeated["a"], repeated.repeated) == (2, ("a",))
    assert repeated == {"a": 2}


def test_signals_are_told_from_messages() -> None:
    assert signal_of(ExportTraceServiceRequest()) is Signal.TRACES
    assert signal_of(ExportLogsServiceRequest()) is Signal.LOGS
    assert signal_of(ExportMetricsServiceRequest()) is Signal.METRICS
