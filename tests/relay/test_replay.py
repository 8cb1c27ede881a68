"""Requests that are sent again: with pauses, of a process with a name, without their session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.capture.capture import Capture
from harness.otlp import flatten
from harness.otlp.messages import ExportMetricsServiceRequest
from harness.otlp.model import DataPoint, Signal
from harness.relay import golden
from harness.relay.replay import (
    INSTANCE,
    SESSION,
    Recorded,
    of_instance,
    recorded,
    with_pauses,
    without_session,
)
from harness.relay.sessions import of_most_signals, of_several_exports, today

SECOND = 10**9


@pytest.fixture(scope="module")
def sessions() -> tuple[Capture, ...]:
    return golden.load(golden.releases()[-1])


@pytest.fixture(scope="module")
def frequent(sessions: tuple[Capture, ...]) -> tuple[Recorded, ...]:
    (session,) = of_several_exports(sessions)
    return today(session)


def points(requests: tuple[Recorded, ...]) -> list[DataPoint]:
    return [
        point
        for request in requests
        if isinstance(request.message, ExportMetricsServiceRequest)
        for point in flatten.data_points(request.message)
    ]


def test_pauses_come_after_each_export_of_metrics(frequent: tuple[Recorded, ...]) -> None:
    paused = with_pauses(frequent, 600)
    before = [each for each in frequent if each.signal is Signal.METRICS]
    after = [each for each in paused if each.signal is Signal.METRICS]
    assert len(before) == len(after) > 2
    shifts = [
        (was.at_unix_nano - now.at_unix_nano) // SECOND
        for was, now in zip(before, after, strict=True)
    ]
    assert shifts == [600 * n for n in reversed(range(len(before)))]
    lengths = {point.time_unix_nano - point.start_time_unix_nano for point in points(frequent)}
    assert lengths == {p.time_unix_nano - p.start_time_unix_nano for p in points(paused)}
    assert [point.value for point in points(paused)] == [point.value for point in points(frequent)]


def test_a_process_is_named_in_every_resource(frequent: tuple[Recorded, ...]) -> None:
    named = points(of_instance(frequent, "one"))
    assert {point.resource.attributes[INSTANCE] for point in named} == {"one"}
    assert not any(INSTANCE in point.resource.attributes for point in points(frequent))


def test_points_alone_lose_their_session(frequent: tuple[Recorded, ...]) -> None:
    nameless = without_session(frequent)
    assert all(SESSION in point.attributes for point in points(frequent))
    assert not any(SESSION in point.attributes for point in points(nameless))
    others = [each for each in frequent if each.signal is not Signal.METRICS]
    assert others == [each for each in nameless if each.signal is not Signal.METRICS]


def test_the_session_with_the_most_signals_is_chosen(sessions: tuple[Capture, ...]) -> None:
    chosen = recorded(of_most_signals(sessions).exports)
    assert {each.signal for each in chosen} == set(Signal)


def test_where_no_session_exported_twice_all_are_sent(sessions: tuple[Capture, ...]) -> None:
    once = [
        replace(
            session,
            exports=tuple(e for e in session.exports if e.signal is not Signal.METRICS),
        )
        for session in sessions
    ]
    assert of_several_exports(once) == tuple(once)
