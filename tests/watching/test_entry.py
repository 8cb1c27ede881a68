"""What is told of a request, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.capture.export import Export
from harness.otlp.model import Protocol, Signal
from harness.watching.entry import Entry, Watch
from harness.watching.headers import noted, without_values
from harness.watching.lines import Lines, Totals
from tests.watching.bodies import S, logs, metrics


class Arriving:
    """Makes the entries of requests that come one after the other."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.number = 0

    def __call__(self, body: bytes, at_s: float = 0, **facts: Any) -> Entry:
        self.number += 1
        signal = Signal.METRICS if b"resourceMetrics" in body else Signal.LOGS
        given: dict[str, Any] = {
            "protocol": Protocol.HTTP_JSON,
            "signal": signal,
            "headers": (("Authorization", "Bearer secret"), ("user-agent", "sdk/1")),
            "path": f"/v1/{signal}?key=secret",
            "status": 200,
        }
        given |= facts
        export = Export(
            sequence=self.number,
            method="POST",
            http_version="1.1",
            body=body,
            arrived_unix_nano=int(at_s * S),
            peer="127.0.0.1:1",
            **given,
        )
        return self.watch.entry(export)


@pytest.fixture
def arrives() -> Arriving:
    return Arriving()


def test_a_request_is_told_by_its_facts_and_names(arrives: Arriving) -> None:
    entry = arrives(metrics(1, 2), 1)
    assert (entry.signal, entry.protocol, entry.encoding) == ("metrics", "http/json", "json")
    assert (entry.compression, entry.since_s, entry.notes) == ("", None, ())
    assert entry.items == {"claude_code.cost.usage": 1}
    assert (entry.temporalities, entry.sources) == (("delta",), ("claude-code 2.1.31",))
    (line, headers) = Lines().of(entry)
    assert line.split()[1:5] == ["metrics", "http/json", "json", "plain"]
    assert line.endswith("first  delta  claude_code.cost.usage  [claude-code 2.1.31]")
    assert headers.split(None, 1) == ["headers", "authorization: Bearer *** · user-agent: sdk/1"]


def test_neither_values_nor_credentials_are_told(arrives: Arriving) -> None:
    entry = arrives(logs(1, text="PRIVATE"))
    told = json.dumps(entry.as_json()) + "\n".join(Lines().of(entry))
    assert "secret" not in told
    assert "PRIVATE" not in told
    assert "user_prompt" in told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Authorization", "Bearer abc", "Bearer ***"),
        ("authorization", "abc def", "***"),
        ("x-scope-orgid", "team", "***"),
        ("cookie", "a=b", "***"),
        ("user-agent", "sdk/1", "sdk/1"),
        ("X-Shown", "value", "value"),
    ],
)
def test_values_of_headers_are_masked_unless_they_are_harmless(
    name: str, value: str, told: str
) -> None:
    assert [*noted([(name, value)], frozenset({"x-shown"}))] == [(name.lower(), told)]


def test_usual_headers_and_values_of_a_query_are_left_out() -> None:
    assert [*noted([("Content-Type", "application/json"), ("host", "x")])] == []
    assert without_values("/v1/logs?key=secret&flag") == "/v1/logs?key=***&***"
    assert without_values("/v1/logs") == "/v1/logs"


def test_what_cannot_be_decoded_is_told_with_the_place(arrives: Arriving) -> None:
    damaged = logs(1).replace(b'"timeUnixNano": "1"', b'"timeUnixNano": "soon"')
    (note,) = arrives(damaged).notes
    assert note.startswith("cannot be decoded: resourceLogs[0].scopeLogs[0].logRecords[0].timeUnix")
    assert note.endswith('saw "soon"')


def test_overlapping_windows_of_deltas_are_odd(arrives: Arriving) -> None:
    assert arrives(metrics(1, 5)).notes == ()
    assert arrives(metrics(5, 8)).notes == ()
    assert arrives(metrics(7, 9)).notes == ("claude_code.cost.usage: delta windows overlap",)


def test_a_cumulative_sum_that_falls_is_odd(arrives: Arriving) -> None:
    assert arrives(metrics(1, 5, 10, temporality=2)).notes == ()
    (note,) = arrives(metrics(1, 6, 9, temporality=2)).notes
    assert note.endswith("a cumulative sum fell without a new start")
    (note,) = arrives(metrics(6, 7, 1, temporality=2)).notes
    assert note.endswith("counts anew from a later start")


def test_a_gap_is_told_of_metrics_that_came_at_an_interval(arrives: Arriving) -> None:
    entries = [arrives(metrics(at, at + 1), at) for at in (0, 10, 20, 30, 40, 90)]
    assert [entry.since_s for entry in entries] == [None, 10, 10, 10, 10, 50]
    assert [entry.notes for entry in entries[:-1]] == [()] * 5
    assert entries[-1].notes == ("a gap: nothing for 50.0 s, and every 10.0 s before",)


def test_numbers_of_events_that_are_left_out_or_late_are_odd(arrives: Arriving) -> None:
    name = "session 11112222: event.sequence"
    assert arrives(logs(2, 1, 3)).notes == ()
    assert arrives(logs(6)).notes == (f"{name} goes from 3 to 6",)
    assert arrives(logs(5, 7)).notes == (f"{name} 5 came after 6",)
    assert arrives(logs(8)).notes == ()


def test_what_is_sent_again_is_told_once(arrives: Arriving) -> None:
    arrives(logs(1, 2))
    assert arrives(logs(1, 2)).notes == ("the same content as number 1: sent again",)
    assert arrives(b'{"resourceLogs":[]}').notes == ("holds no items",)


def test_a_refused_request_is_told_with_its_reason(arrives: Arriving) -> None:
    facts: dict[str, Any] = {"protocol": None, "status": 415, "rejected": "media type\n\x1b[31m"}
    entry = arrives(b"x", headers=(("content-type", "text/plain"),), **facts)
    (line,) = Lines().of(entry)
    assert line.endswith("REFUSED with 415 at /v1/logs?key=***: media type \\x1b[31m")
    assert " text/plain " in line
    totals = Totals()
    totals.add(entry)
    totals.add(arrives(logs(1)))
    assert [*totals.lines(2)] == [
        "taken    1 requests, refused 1, with something odd 0",
        "         1 of logs over http/json",
        "items    1 of logs",
        "refused  1 times with 415: media type \\x1b[31m",
        "missed   2 requests, which came faster than they could be told",
    ]


def test_headers_are_printed_again_only_when_they_change(arrives: Arriving) -> None:
    lines = Lines()
    assert len([*lines.of(arrives(logs(1)))]) == 2
    assert len([*lines.of(arrives(logs(2)))]) == 1
    changed = arrives(logs(3), headers=(("user-agent", "sdk/2"),))
    assert [*lines.of(changed)][1].endswith("user-agent: sdk/2")
