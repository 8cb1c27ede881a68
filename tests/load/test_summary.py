"""Whose limit a rate met: the generator never blames the collector for its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.load.arrivals import Arrived
from harness.load.counts import Counts
from harness.load.order import Order
from harness.load.summary import Result, as_json, limit, progress, render
from harness.otlp.model import Protocol, Signal
from harness.relay.endpoint import Endpoint
from harness.report.line import Style

ORDER = Order(
    (Endpoint("grpc", "127.0.0.1", 4317),), (Protocol.GRPC,), (), "run", rate=10, seconds=10
)
IDLE: dict[str, Any] = {"sessions": 60, "cpu_s": 1.0, "wall_s": 10.0}


@pytest.mark.parametrize(
    ("counted", "ordered", "told"),
    [
        ({**IDLE, "sessions": 100}, {}, "none: all that was asked for was sent, the latest"),
        ({**IDLE, "sessions": 5}, {"sessions": 5}, "none: all that was asked for was sent"),
        (IDLE, {}, "the answers were the limit: all 16 connections were waiting"),
        (IDLE, {"rate": None}, "the answers were the limit: "),
        ({**IDLE, "cpu_s": 9.9}, {}, "the generator was the limit: its processes worked for 99%"),
        ({**IDLE, "cpu_s": 9.9}, {"rate": None}, "the generator was the limit: its processes w"),
        ({**IDLE, "behind_s": 5.0}, {}, "the generator was the limit: its processes got no turn"),
        # Of two processes, each has worked for half of the time.
        ({**IDLE, "cpu_s": 10.0, "wall_s": 20.0}, {"processes": 2}, "the answers were the limit"),
    ],
)
def test_whose_limit_it_was(counted: dict[str, Any], ordered: dict[str, Any], told: str) -> None:
    assert limit(Result(replace(ORDER, **ordered), Counts(**counted))).startswith(told)


def test_what_was_ended_early_met_no_limit() -> None:
    result = Result(ORDER, Counts(**IDLE), ended_early=True)
    assert limit(result) == "none was met: it was ended early"


def test_nothing_sent_is_rendered_as_nothing() -> None:
    lines = list(render(Result(ORDER, Counts())))
    assert lines[1].text == "sessions   0 · 0.0/s · 10/s asked"
    assert lines[-1].style is Style.GOOD


def test_json_has_all_that_is_rendered() -> None:
    counts = Counts(sessions=3, requests=12, bytes=25, accepted=11, refused=1, wall_s=2.0)
    counts.items[Signal.LOGS] = 7
    counts.answers.add(0.25)
    counts.reasons["503"] = 1
    arrived = Arrived(came=6)
    arrived.lost[Signal.LOGS] = 1
    arrived.taken[Signal.LOGS].add(0.5)
    told = json.loads(json.dumps(as_json(Result(ORDER, counts, arrived, "grpc://x"))))
    assert (told["failed"], told["seconds"], told["reasons"]) == (True, 2.0, {"503": 1})
    assert told["items"] == {"metrics": 0, "logs": 7, "traces": 0}
    assert told["answers_ms"]["max"] == 250
    assert told["came_out"]["lost"]["logs"] == 1
    assert told["came_out"]["took_ms"]["logs"]["p50"] > 0
    nothing = as_json(Result(ORDER, Counts()))
    assert (nothing["failed"], nothing["answers_ms"], nothing["came_out"]) == (False, None, None)


def test_progress_is_a_line() -> None:
    counts = Counts(sessions=3, requests=12, bytes=2_500_000, refused=1, unanswered=2, retried=4)
    counts.items[Signal.LOGS] = 7
    counts.answers.add(0.25)
    assert progress(2.2, counts) == (
        "     2 s  3 sessions · 12 requests · 2.5 MB · 3 not taken · 4 retried · p99 250 ms"
    )
