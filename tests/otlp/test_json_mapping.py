"""The OTLP/JSON mapping, rule by rule, on hand-written bodies."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from harness.otlp import flatten
from harness.otlp.codec import Decoded, decode_request, encode
from harness.otlp.errors import DecodeError
from harness.otlp.json_decode import MAX_DEPTH
from harness.otlp.messages import (
    Encoding,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
)
from harness.otlp.model import Attributes, DataPoint, Event, Signal, Span, Value

# After the examples of the OTLP specification, which opentelemetry-proto publishes.
SPAN = """
{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
"value":{"stringValue":"my.service"}}]},"scopeSpans":[{"scope":{"name":"my.library",
"version":"1.0.0","attributes":[{"key":"my.scope.attribute","value":
{"stringValue":"some scope attribute"}}]},"spans":[{
"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",
"parentSpanId":"EEE19B7EC3C1B173","name":"I'm a server span",
"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","kind":2,
"attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]}
"""
LOG = """
{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"my.library"},"logRecords":[{
"timeUnixNano":"1544712660300000000","observedTimeUnixNano":"1544712660300000000",
"severityNumber":10,"severityText":"Information","traceId":"5B8EFFF798038103D269B633813FC60C",
"spanId":"EEE19B7EC3C1B174","body":{"stringValue":"Example log record"},"attributes":[
{"key":"string.attribute","value":{"stringValue":"some string"}},
{"key":"boolean.attribute","value":{"boolValue":true}},
{"key":"int.attribute","value":{"intValue":"10"}},
{"key":"double.attribute","value":{"doubleValue":637.704}},
{"key":"array.attribute","value":{"arrayValue":{"values":[{"stringValue":"many"},
{"stringValue":"values"}]}}},
{"key":"map.attribute","value":{"kvlistValue":{"values":[{"key":"some.map.key",
"value":{"stringValue":"some value"}}]}}}]}]}]}]}
"""


def decode(signal: Signal, document: object) -> Decoded:
    return decode_request(signal, Encoding.JSON, json.dumps(document).encode())


def event(record: object) -> Event:
    decoded = decode(Signal.LOGS, logs(record))
    assert isinstance(decoded.message, ExportLogsServiceRequest)
    (found,) = flatten.events(decoded.message)
    return found


def point(fields: object) -> DataPoint:
    decoded = decode(Signal.METRICS, metrics(fields))
    assert isinstance(decoded.message, ExportMetricsServiceRequest)
    (found,) = flatten.data_points(decoded.message)
    return found


def logs(record: object) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


def metrics(fields: object) -> dict[str, Any]:
    metric = {"name": "m", "sum": {"dataPoints": [fields]}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


def test_the_span_example_of_the_specification() -> None:
    decoded = decode_request(Signal.TRACES, Encoding.JSON, SPAN.encode())
    assert isinstance(decoded.message, ExportTraceServiceRequest)
    (span,) = flatten.spans(decoded.message)
    assert isinstance(span, Span)
    assert (span.trace_id, span.span_id, span.parent_span_id) == (
        "5b8efff798038103d269b633813fc60c",
        "eee19b7ec3c1b174",
        "eee19b7ec3c1b173",
    )
    assert (span.kind, span.name) == (2, "I'm a server span")
    assert span.end_time_unix_nano - span.start_time_unix_nano == 10**9
    assert span.resource.attributes == {"service.name": "my.service"}
    assert span.scope.attributes == {"my.scope.attribute": "some scope attribute"}
    assert decoded.notes == ()
    # Canonical already, but for the case of the ids.
    expected = json.loads(SPAN, parse_float=str)
    (group,) = expected["resourceSpans"]
    (item,) = group["scopeSpans"][0]["spans"]
    for name in ("traceId", "spanId", "parentSpanId"):
        item[name] = item[name].lower()
    assert json.loads(encode(decoded.message, Encoding.JSON)) == expected


def test_the_log_example_of_the_specification() -> None:
    decoded = decode_request(Signal.LOGS, Encoding.JSON, LOG.encode())
    assert isinstance(decoded.message, ExportLogsServiceRequest)
    (record,) = flatten.events(decoded.message)
    assert record.attributes == {
        "string.attribute": "some string",
        "boolean.attribute": True,
        "int.attribute": 10,
        "double.attribute": 637.704,
        "array.attribute": ("many", "values"),
        "map.attribute": {"some.map.key": "some value"},
    }
    assert (record.severity_number, record.severity_text) == (10, "Information")
    assert record.body == "Example log record"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"stringValue": ""}, ""),
        ({"boolValue": False}, False),
        ({"intValue": "0"}, 0),
        ({"intValue": str(-(2**63))}, -(2**63)),
        ({"intValue": str(2**63 - 1)}, 2**63 - 1),
        ({"intValue": 7}, 7),
        ({"intValue": 7.0}, 7),
        ({"doubleValue": 2}, 2.0),
        ({"doubleValue": "NaN"}, math.nan),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"doubleValue": "1.5e3"}, 1500.0),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"bytesValue": "-_8"}, b"\xfb\xff"),
        ({"arrayValue": {}}, ()),
        ({"arrayValue": {"values": [{}, {"intValue": "1"}]}}, (None, 1)),
        ({"kvlistValue": {"values": [{"key": "k", "value": {}}]}}, Attributes((("k", None),))),
        ({}, None),
        (None, None),
        ({"stringValue": None, "intValue": "3"}, 3),
        ({"unknownValue": 1, "intValue": "3"}, 3),
    ],
)
def test_values(written: object, meant: Value) -> None:
    seen = event({"attributes": [{"key": "k", "value": written}]}).attributes
    assert seen == Attributes((("k", meant),))


def test_an_empty_value_is_not_an_absent_one() -> None:
    decoded = decode(Signal.LOGS, logs({"body": {}}))
    assert isinstance(decoded.message, ExportLogsServiceRequest)
    record = decoded.message.resource_logs[0].scope_logs[0].log_records[0]
    assert record.HasField("body")
    assert b'"body":{}' in encode(decoded.message, Encoding.JSON)


def test_absent_and_null_and_default_are_the_same() -> None:
    spelled = {
        "timeUnixNano": "0",
        "severityText": "",
        "severityNumber": 0,
        "attributes": [],
        "traceId": "",
        "flags": 0,
    }
    assert event(spelled) == event(dict.fromkeys(spelled)) == event({})


def test_unknown_fields_are_ignored_at_any_level() -> None:
    document = logs({"body": {"stringValue": "x", "n": [1]}, "more": {"severityNumber": "no"}})
    document["added"] = [{}]
    document["resourceLogs"][0]["others"] = None
    decoded = decode(Signal.LOGS, document)
    assert decoded.message == decode(Signal.LOGS, logs({"body": {"stringValue": "x"}})).message
    assert decoded.notes == ()


def test_snake_case_keys_are_unknown_and_noted() -> None:
    decoded = decode(Signal.LOGS, logs({"time_unix_nano": "5", "severity_number": "x"}))
    assert isinstance(decoded.message, ExportLogsServiceRequest)
    assert flatten.events(decoded.message)[0].time_unix_nano == 0
    assert [note.code for note in decoded.notes] == ["X-JSON-3", "X-JSON-3"]
    first = decoded.notes[0]
    assert first.path == "resourceLogs[0].scopeLogs[0].logRecords[0].time_unix_nano"
    assert "'timeUnixNano'" in first.detail


def test_integers_as_numbers_are_noted_once_for_each_kind_of_place() -> None:
    fields = [{"asInt": 1, "timeUnixNano": "9"}, {"asInt": 2, "timeUnixNano": 10}, {"asInt": "3"}]
    document = metrics({})
    document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"] = fields
    decoded = decode(Signal.METRICS, document)
    where = "resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints"
    assert [(note.code, note.path, note.times) for note in decoded.notes] == [
        ("X-JSON-4", f"{where}[0].asInt", 2),
        ("X-JSON-4", f"{where}[1].timeUnixNano", 1),
    ]
    assert "number 1" in decoded.notes[0].detail


def test_a_null_double_is_noted_and_is_no_value() -> None:
    decoded = decode(Signal.METRICS, metrics({"asDouble": None}))
    assert [note.code for note in decoded.notes] == ["X-JSON-5"]
    assert point({"asDouble": None}).value is None
    assert point({"asDouble": 0}).value == 0.0
    assert decode(Signal.METRICS, metrics({"asInt": None})).notes == ()


def test_ids_of_a_wrong_length_are_read() -> None:
    assert event({"traceId": "AbCd"}).trace_id == "abcd"


_RECORD = "resourceLogs[0].scopeLogs[0].logRecords[0]"


@pytest.mark.parametrize(
    ("record", "path", "message"),
    [
        ({"traceId": "W47/95gDgQPSabYzgT/GDA=="}, "traceId", "expected hex digits"),
        ({"traceId": "abc"}, "traceId", "expected hex digits"),
        ({"spanId": 12}, "spanId", "expected hex digits"),
        ({"severityNumber": "SEVERITY_NUMBER_INFO"}, "severityNumber", "enum is written as an int"),
        ({"severityNumber": "9"}, "severityNumber", "enum is written as an int"),
        ({"severityNumber": True}, "severityNumber", "enum is written as an int"),
        ({"severityNumber": 2**31}, "severityNumber", "outside the range"),
        ({"timeUnixNano": "-1"}, "timeUnixNano", "outside 0 to"),
        ({"timeUnixNano": str(2**64)}, "timeUnixNano", "outside 0 to"),
        ({"timeUnixNano": "1" * 5000}, "timeUnixNano", "expected a decimal integer"),
        ({"timeUnixNano": "1e3"}, "timeUnixNano", "expected a decimal integer"),
        ({"timeUnixNano": " 1"}, "timeUnixNano", "expected a decimal integer"),
        ({"timeUnixNano": "1\n"}, "timeUnixNano", "expected a decimal integer"),
        ({"timeUnixNano": "١"}, "timeUnixNano", "expected a decimal integer"),
        ({"timeUnixNano": 1.5}, "timeUnixNano", "expected an integer"),
        ({"timeUnixNano": True}, "timeUnixNano", "expected an integer"),
        ({"flags": 2**32}, "flags", "outside 0 to"),
        ({"severityText": 5}, "severityText", "expected a string"),
        ({"severityText": "\ud800"}, "severityText", "cannot be stored"),
        ({"body": "text"}, "body", "expected an object for AnyValue"),
        ({"body": []}, "body", "expected an object for AnyValue"),
        ({"body": {"boolValue": 1}}, "body.boolValue", "expected true or false"),
        ({"body": {"boolValue": "true"}}, "body.boolValue", "expected true or false"),
        ({"body": {"intValue": 1e300}}, "body.intValue", "outside"),
        ({"body": {"intValue": "9223372036854775808"}}, "body.intValue", "outside"),
        ({"body": {"doubleValue": "much"}}, "body.doubleValue", "expected a number"),
        ({"body": {"doubleValue": "inf"}}, "body.doubleValue", "expected a number"),
        ({"body": {"doubleValue": False}}, "body.doubleValue", "expected a number"),
        ({"body": {"doubleValue": 10**400}}, "body.doubleValue", "too large"),
        ({"body": {"bytesValue": {"0": 0}}}, "body.bytesValue", "expected base64"),
        ({"body": {"bytesValue": "!"}}, "body.bytesValue", "expected base64"),
        ({"body": {"intValue": "1", "boolValue": True}}, "body.boolValue", "only one"),
        ({"attributes": {}}, "attributes", "expected an array"),
        ({"attributes": [None]}, "attributes[0]", "no element"),
        ({"attributes": [{"key": 1}]}, "attributes[0].key", "expected a string"),
    ],
)
def test_wrong_values_are_refused_with_their_place(record: object, path: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode(Signal.LOGS, logs(record))
    assert caught.value.path == f"{_RECORD}.{path}"
    assert str(caught.value).startswith(f"{_RECORD}.{path}: ")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "expected an object"),
        (b"null", "expected an object"),
        (b'{"resourceLogs":', "not JSON"),
        (
            b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"doubleValue":NaN}}]}]}]}',
            "NaN",
        ),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"\x1f\x8b\x08", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "not JSON"),
    ],
)
def test_bodies_that_are_no_json_object_are_refused(body: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message) as caught:
        decode_request(Signal.LOGS, Encoding.JSON, body)
    assert caught.value.path == ""


def test_nesting_ends_where_protobuf_ends_it() -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {"stringValue": "x"}
        for _ in range(levels):
            value = {"arrayValue": {"values": [value]}}
        return logs({"body": value})

    # Request, group, block and record come first; each level is two messages.
    deepest = (MAX_DEPTH - 5) // 2
    message = decode(Signal.LOGS, nested(deepest)).message
    again = decode_request(Signal.LOGS, Encoding.PROTOBUF, encode(message, Encoding.PROTOBUF))
    assert again.message == message
    with pytest.raises(DecodeError, match="nested deeper than 100 messages"):
        decode(Signal.LOGS, nested(deepest + 1))
