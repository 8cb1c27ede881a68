"""Objects on the console, as exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.capture.export import Export
from harness.exposition import CONSOLE, is_exposed, numbered
from harness.exposition.console import exports
from harness.otlp.model import Signal

METRIC = """{
  descriptor: {
    name: 'claude_code.commit.count',
    type: 'COUNTER',
    description: 'Number of git commits created',
    unit: '',
    valueType: 1,
    advice: {}
  },
  dataPointType: 3,
  dataPoints: [
    {
      attributes: { 'session.id': 'abc', type: 'added' },
      startTime: [ 1795582210, 729000000 ],
      endTime: [ 1795582211, 366000000 ],
      value: 1
    }
  ]
}
"""
EVENT = """{
  resource: {
    attributes: {
      'service.name': 'claude-code'
    }
  },
  instrumentationScope: {
    name: 'com.anthropic.claude_code.events',
    version: '2.1.31',
    schemaUrl: undefined
  },
  timestamp: 1795582210594000,
  traceId: undefined,
  spanId: undefined,
  severityText: undefined,
  severityNumber: 9,
  body: 'claude_code.user_prompt',
  attributes: {
    'event.sequence': 1,
    share: 0.5,
    good: true,
    'managed_settings.sources': [],
    prompt: 'one\\n' +
      'two'
  }
}
"""


def read(output: str) -> Sequence[Export]:
    return exports(output, 7)


def test_objects_stand_between_other_lines() -> None:
    found = read(f"Before.\n{METRIC}Done. {{ a: 1 }}\n{EVENT}\n")
    assert [each.signal for each in found] == [Signal.METRICS, Signal.LOGS]
    assert [each.path for each in found] == [
        "standard output, line 2",
        "standard output, line 22",
    ]
    assert {each.collector for each in found} == {CONSOLE}
    assert all(is_exposed(each) for each in found)
    assert {(each.protocol, each.method, each.arrived_unix_nano) for each in found} == {
        (None, "", 7)
    }


def test_a_metric_has_all_that_is_printed() -> None:
    (export,) = read(METRIC)
    (point,) = export.data_points
    assert point.metric.name == "claude_code.commit.count"
    assert (point.metric.type, point.metric.monotonic) == ("sum", True)
    assert point.metric.description == "Number of git commits created"
    assert dict(point.attributes) == {"session.id": "abc", "type": "added"}
    assert (point.start_time_unix_nano, point.time_unix_nano) == (
        1795582210_729000000,
        1795582211_366000000,
    )
    assert point.value == 1.0
    assert isinstance(point.value, float)


def test_an_event_has_all_that_is_printed() -> None:
    (export,) = read(EVENT)
    (event,) = export.events
    assert event.body == "claude_code.user_prompt"
    assert dict(event.attributes) == {
        "event.sequence": 1,
        "share": 0.5,
        "good": True,
        "managed_settings.sources": (),
        "prompt": "one\ntwo",
    }
    assert dict(event.resource.attributes) == {"service.name": "claude-code"}
    assert (event.scope.name, event.scope.version) == ("com.anthropic.claude_code.events", "2.1.31")
    assert event.time_unix_nano == 1795582210_594000000
    assert event.severity_number == 9


def test_a_stream_that_keeps_its_start_is_cumulative() -> None:
    later = METRIC.replace("endTime: [ 1795582211", "endTime: [ 1795582212")
    assert {p.metric.temporality for e in read(METRIC + later) for p in e.data_points} == {
        "cumulative"
    }


def test_a_stream_that_starts_anew_is_not_taken_for_cumulative() -> None:
    later = METRIC.replace("startTime: [ 1795582210", "startTime: [ 1795582212")
    assert {p.metric.temporality for e in read(METRIC + later) for p in e.data_points} == {
        "unspecified"
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (METRIC.replace("value: 1\n", "value: [Object]\n"), "line 16: expected"),
        (METRIC.replace("type: 'COUNTER',", ""), "not as the exporter prints it: KeyError('type')"),
        (METRIC.replace("dataPointType: 3", "dataPointType: 0"), "neither a sum nor a gauge"),
        (METRIC.replace("endTime: [ 1795582211, 366000000 ]", "endTime: 1"), "not as the exporter"),
        ("{\n  something: 'else'\n}\n", "neither metric nor log record: something"),
        (METRIC.removesuffix("}\n"), "expected"),
    ],
)
def test_what_cannot_be_read_is_kept_with_the_reason(text: str, problem: str) -> None:
    broken, whole = read(text + EVENT)
    assert problem in broken.rejected
    assert broken.signal is None
    assert broken.items == ()
    assert len(whole.events) == 1


def test_an_object_may_break_off_at_the_end() -> None:
    whole, broken = read(METRIC + EVENT[:100])
    assert not whole.rejected
    assert broken.rejected


def test_nothing_printed_is_nothing() -> None:
    assert read("Done.\n") == []
    assert read("") == []


def test_gauges_and_whole_numbers() -> None:
    text = METRIC.replace("dataPointType: 3", "dataPointType: 2").replace(
        "valueType: 1", "valueType: 0"
    )
    (point,) = read(text)[0].data_points
    assert (point.metric.type, point.value) == ("gauge", 1)


def test_exports_are_counted_on() -> None:
    shown: list[Any] = [*read(METRIC + EVENT), *read(METRIC)]
    assert [each.sequence for each in numbered(shown, after=4)] == [5, 6, 7]
