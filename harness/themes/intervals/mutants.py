"""Lies about when something was exported, told of one signal: that of ``params.where``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.contract.requirement import Requirement
from harness.otlp.model import Signal
from harness.themes.intervals.experiment import A_QUARTER, TWICE, VARIABLES

Lie = Callable[[Capture, Requirement], Capture]

#: Spans that ended so shortly before are lost with those that ended after.
_MARGIN_NS = 50_000_000


def twice_as_often(capture: Capture, requirement: Requirement) -> Capture:
    """Configure an interval twice as long as the one that was followed."""
    return _configured(capture, requirement, TWICE)


def a_quarter_as_often(capture: Capture, requirement: Requirement) -> Capture:
    """Configure an interval a quarter as long as the one that was followed."""
    return _configured(capture, requirement, A_QUARTER)


def by_another_interval(capture: Capture, requirement: Requirement) -> Capture:
    """Configure for this signal the interval of another one."""
    own = VARIABLES[_signal(requirement)]
    environment = capture.run.environment
    others = [environment.get(each) for each in VARIABLES.values() if each != own]
    return _with(capture, requirement, next(other for other in others if other))


def sooner(capture: Capture, requirement: Requirement) -> Capture:
    """Everything of the signal arrives after half of the time that it took."""
    started = capture.run.started_unix_nano
    return _moved(
        capture, requirement, lambda each: started + (each.arrived_unix_nano - started) // 2
    )


def later(capture: Capture, requirement: Requirement) -> Capture:
    """Everything of the signal arrives only when the next request of it does."""
    arrivals = [each.arrived_unix_nano for each in _told_of(capture, _signal(requirement))]
    following = dict(zip(arrivals, [*arrivals[1:], arrivals[-1]], strict=True))
    return _moved(capture, requirement, lambda each: following[each.arrived_unix_nano])


def never(capture: Capture, requirement: Requirement) -> Capture:
    """Nothing of the signal arrives."""
    silenced = _told_of(capture, _signal(requirement))
    return _without(capture, silenced)


def last_metrics_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the metrics that wait at the end of the session."""
    return _without(capture, _told_of(capture, Signal.METRICS)[-1:])


def last_logs_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the logs that wait at the end of the session."""
    asked = max(call.arrived_unix_nano for call in capture.run.truth.api_calls)
    told = _told_of(capture, Signal.LOGS)
    return _without(capture, [each for each in told if each.arrived_unix_nano >= asked])


def last_traces_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Spans that end after the last question are not sent."""
    asked = max(call.arrived_unix_nano for call in capture.run.truth.api_calls)
    late = [
        each
        for each in _told_of(capture, Signal.TRACES)
        if any(span.end_time_unix_nano >= asked - _MARGIN_NS for span in each.spans)
    ]
    return _without(capture, late)


def _signal(requirement: Requirement) -> Signal:
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return Signal(where["signal"])


def _told_of(capture: Capture, signal: Signal) -> list[Export]:
    told = [each for each in capture.exports if each.signal is signal]
    if not told:
        raise ValueError(f"{capture.run.label} exported no {signal}")
    return told


def _configured(capture: Capture, requirement: Requirement, factor: float) -> Capture:
    configured = capture.run.environment.get(VARIABLES[_signal(requirement)])
    if not configured:
        raise ValueError(f"{capture.run.label} sets no interval of {_signal(requirement)}")
    return _with(capture, requirement, f"{float(configured) * factor:g}")


def _with(capture: Capture, requirement: Requirement, value: str) -> Capture:
    environment = {**capture.run.environment, VARIABLES[_signal(requirement)]: value}
    return replace(capture, run=replace(capture.run, environment=environment))


def _moved(capture: Capture, requirement: Requirement, arrival: Callable[[Export], int]) -> Capture:
    moved = {id(each): arrival(each) for each in _told_of(capture, _signal(requirement))}
    return replace(
        capture,
        exports=tuple(
            replace(each, arrived_unix_nano=moved[id(each)]) if id(each) in moved else each
            for each in capture.exports
        ),
    )


def _without(capture: Capture, silenced: list[Export]) -> Capture:
    gone = {id(each) for each in silenced}
    return replace(capture, exports=tuple(each for each in capture.exports if id(each) not in gone))


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        twice_as_often,
        a_quarter_as_often,
        by_another_interval,
        sooner,
        later,
        never,
        last_metrics_lost,
        last_logs_lost,
        last_traces_lost,
    )
}
