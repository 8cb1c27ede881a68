"""The data model of streams, at its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.findings import Judged, NotExercised, Outcome
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Exporter, Findings, Require, Viewer

Ask = Callable[..., Outcome]


def point(
    start: int, time: int, value: float = 1, *, stream: str = "s", temporality: str = "delta"
) -> Any:
    facts = {"start": start, "time": time, "temporality": temporality}
    return "m", value, {"stream": stream}, facts


def running(start: int, time: int, value: float, stream: str = "s") -> Any:
    return point(start, time, value, stream=stream, temporality="cumulative")


@pytest.fixture
def ask(judge: Judge, requirement: Require) -> Ask:
    def asked(check: str, view: CaptureView, **params: Any) -> Outcome:
        made = requirement(check, **{"kind": "metrics", "name": "", **params})
        outcome: Outcome = judge.judge(made, [view]).outcome
        return outcome

    return asked


@pytest.mark.parametrize(
    ("start", "time", "right"),
    [(1, 2, True), (5, 5, True), (6, 5, False), (0, 5, False), (0, 0, False), (5, 0, False)],
)
def test_times_ordered(
    ask: Ask, viewer: Viewer, findings: Findings, start: int, time: int, right: bool
) -> None:
    view = viewer(points=[point(1, 2), point(start, time)])
    seen = [] if right else [f"start {start}, time {time}"]
    assert findings(ask("times_ordered", view)) == seen


def test_unique_keys(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    twice = [("b", 1), ("a", 1), ("b", 2), ("a", 1)]
    points = viewer(points=[("m", 1, {"a": 1, "b": 1}), ("m", 1, twice)])
    assert findings(ask("unique_keys", points)) == ["a, b more than once"]
    events = viewer(events=[{"attributes": [("a", 1), ("a", 1)]}, {"attributes": {"a": 1}}])
    assert findings(ask("unique_keys", events, kind="events")) == ["a more than once"]
    assert findings(ask("unique_keys", events, kind="items")) == ["a more than once"]
    resource = viewer(events=[{}], resource=[("a", 1), ("b", 1), ("a", 2)])
    assert findings(ask("unique_keys", resource, kind="resources")) == ["a more than once"]
    assert findings(ask("unique_keys", resource, kind="events")) == []


def test_one_point_per_stream(ask: Ask, viewer: Viewer) -> None:
    view = viewer(points=[point(1, 2), point(2, 3), point(1, 2, stream="t"), point(3, 4)])
    outcome = ask("one_point_per_stream", view)
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert finding.seen == "3 of m with [('stream', 's')]"


def test_the_order_of_attributes_makes_no_other_stream(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    pairs = [("a", 1), ("b", 2)]
    view = viewer(points=[("m", 1, pairs), ("m", 1, pairs[::-1]), ("n", 1, pairs)])
    assert len(findings(ask("one_point_per_stream", view))) == 1


def test_a_stream_may_come_again_in_the_next_export(
    ask: Ask, viewer: Viewer, exporter: Exporter, findings: Findings
) -> None:
    exports = [exporter(points=[point(n, n + 1)], sequence=n) for n in (1, 2)]
    assert findings(ask("one_point_per_stream", viewer(exports=exports))) == []


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([point(1, 5), point(5, 9)], []),
        ([point(1, 5), point(6, 9)], []),
        ([point(1, 5), point(4, 9)], ["start 4, value 1.0"]),
        ([point(4, 9), point(1, 5)], ["start 4, value 1.0"]),
        ([point(1, 5), point(1, 5)], ["start 1, value 1.0"]),
        ([point(1, 5), point(4, 9, stream="t"), point(5, 9)], []),
        ([point(1, 5), running(1, 6, 1), point(5, 9)], []),
    ],
    ids=[
        "edge to edge",
        "with a gap",
        "overlapping",
        "overlapping, out of order",
        "the same twice",
        "another stream",
        "a total is no window",
    ],
)
def test_windows_apart(
    ask: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    assert findings(ask("windows_apart", viewer(points=points))) == seen


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([running(1, 5, 1), running(1, 9, 2)], []),
        ([running(1, 5, 2), running(1, 9, 2)], []),
        ([running(1, 9, 2), running(1, 5, 1)], []),
        ([running(1, 5, 2), running(1, 9, 1)], ["start 1, value 1.0"]),
        ([running(1, 5, 1), running(2, 9, 2)], ["start 2, value 2.0"]),
        ([running(1, 5, 2), running(1, 6, 1, "t"), running(1, 9, 2)], []),
        ([running(1, 5, 2), point(5, 9, 1), running(1, 10, 2)], []),
    ],
    ids=[
        "rises",
        "stays",
        "out of order",
        "falls",
        "begins anew",
        "another stream",
        "a delta is no total",
    ],
)
def test_never_falls(
    ask: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    assert findings(ask("never_falls", viewer(points=points))) == seen


def test_what_came_once_tells_nothing_of_order(ask: Ask, viewer: Viewer) -> None:
    once = [point(1, 2), point(1, 2, stream="t"), running(1, 2, 1)]
    view = viewer(points=once)
    assert ask("windows_apart", view) == NotExercised("no delta stream was exported twice")
    assert ask("never_falls", view) == NotExercised("no cumulative stream was exported twice")


def test_streams_are_followed_across_exports(ask: Ask, viewer: Viewer, exporter: Exporter) -> None:
    exports = [
        exporter(points=[point(1, 5), running(1, 5, 2)]),
        exporter(points=[point(4, 9), running(1, 9, 1)], sequence=2),
    ]
    view = viewer(exports=exports)
    for check in ("windows_apart", "never_falls"):
        outcome = ask(check, view)
        assert isinstance(outcome, Judged)
        (finding,) = outcome.findings
        assert finding.where.startswith("working_day over http/json · metrics export 2 · m · point")
