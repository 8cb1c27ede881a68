"""Lies about when a signal was exported: the one that ``params.where`` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.export import Export
from ...contract.requirement import Requirement
from ...otlp.model import Signal
from .experiment import A_QUARTER, TWICE, VARIABLES

Lie = Callable[[Capture, Requirement], Capture]

#: Spans that ended so shortly before are lost with those that ended after.
_MARGIN_NS = 50_000_000


def twice_as_often(capture: Capture, requirement: Requirement) -> Capture:
    """Export twice as often as configured.

    The capture stays; the configured interval is doubled.
    """
    return _configured(capture, requirement, TWICE)


def a_quarter_as_often(capture: Capture, requirement: Requirement) -> Capture:
    """Export a quarter as often as configured.

    The capture stays; the configured interval is divided by four.
    """
    return _configured(capture, requirement, A_QUARTER)


def by_another_interval(capture: Capture, requirement: Requirement) -> Capture:
    """Export the signal by the interval that is configured for another one.

    The capture stays; the configured interval becomes that of another signal.
    """
    own = VARIABLES[_signal(requirement)]
    environment = capture.run.environment
    others = [environment.get(variable) for variable in VARIABLES.values() if variable != own]
    return _with(capture, requirement, next(other for other in others if other))


def sooner(capture: Capture, requirement: Requirement) -> Capture:
    """Halve the time from the start of the process to each request of the signal."""
    started = capture.run.started_unix_nano
    return _moved(
        capture, requirement, lambda export: started + (export.arrived_unix_nano - started) // 2
    )


def later(capture: Capture, requirement: Requirement) -> Capture:
    """Delay each request of the signal until its next one."""
    arrivals = [export.arrived_unix_nano for export in _exports_of(capture, _signal(requirement))]
    following = dict(zip(arrivals, [*arrivals[1:], arrivals[-1]], strict=True))
    return _moved(capture, requirement, lambda export: following[export.arrived_unix_nano])


def never(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing of the signal."""
    silenced = _exports_of(capture, _signal(requirement))
    return _without(capture, silenced)


def last_metrics_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the last request of metrics."""
    return _without(capture, _exports_of(capture, Signal.METRICS)[-1:])


def last_logs_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the logs after the last question to the model."""
    asked = max(call.arrived_unix_nano for call in capture.run.truth.api_calls)
    exports = _exports_of(capture, Signal.LOGS)
    return _without(capture, [export for export in exports if export.arrived_unix_nano >= asked])


def last_traces_lost(capture: Capture, requirement: Requirement) -> Capture:
    """Do not send the spans that end after the last question to the model."""
    asked = max(call.arrived_unix_nano for call in capture.run.truth.api_calls)
    late = [
        export
        for export in _exports_of(capture, Signal.TRACES)
        if any(span.end_time_unix_nano >= asked - _MARGIN_NS for span in export.spans)
    ]
    return _without(capture, late)


def _signal(requirement: Requirement) -> Signal:
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    return Signal(where["signal"])


def _exports_of(capture: Capture, signal: Signal) -> list[Export]:
    exports = [export for export in capture.exports if export.signal is signal]
    if not exports:
        raise ValueError(f"{capture.run.label} exported no {signal}")
    return exports


def _configured(capture: Capture, requirement: Requirement, factor: float) -> Capture:
    configured = capture.run.environment.get(VARIABLES[_signal(requirement)])
    if not configured:
        raise ValueError(f"{capture.run.label} sets no interval of {_signal(requirement)}")
    return _with(capture, requirement, f"{float(configured) * factor:g}")


def _with(capture: Capture, requirement: Requirement, value: str) -> Capture:
    environment = {**capture.run.environment, VARIABLES[_signal(requirement)]: value}
    return replace(capture, run=replace(capture.run, environment=environment))


def _moved(capture: Capture, requirement: Requirement, arrival: Callable[[Export], int]) -> Capture:
    moved = {id(export): arrival(export) for export in _exports_of(capture, _signal(requirement))}
    return replace(
        capture,
        exports=tuple(
            replace(export, arrived_unix_nano=moved[id(export)]) if id(export) in moved else export
            for export in capture.exports
        ),
    )


def _without(capture: Capture, silenced: list[Export]) -> Capture:
    gone = {id(export) for export in silenced}
    return replace(
        capture, exports=tuple(export for export in capture.exports if id(export) not in gone)
    )


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
