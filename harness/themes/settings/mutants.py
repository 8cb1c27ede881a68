"""Lies about which level of settings decided where telemetry was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture, Connection
from ...capture.export import Export
from ...capture.observed import with_observed
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.model import Signal
from .observed import CommandEnvironment
from .scenarios import PROJECT, USER

#: Of the collectors of those scenarios: the winner of none, and of one.
LOSERS = (USER, PROJECT)


def _signal(requirement: Requirement) -> str:
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    return str(where.get("signal", "all"))


def _change_one(
    capture: Capture, requirement: Requirement, change: Callable[[Export], Export]
) -> Capture:
    """Change the last request of the signal that the requirement is about.

    If it is about all signals, change one of metrics: which signal comes last is up to chance.
    """
    wanted = _signal(requirement)
    candidates = [e for e in capture.exports if wanted in ("all", str(e.signal))]
    if not candidates:
        raise ValueError(f"no request of {wanted}")
    one = max(candidates, key=lambda export: (export.signal is Signal.METRICS, export.sequence))
    return instead(capture, one, change(one))


def _loser(capture: Capture) -> str:
    reached = {export.collector for export in capture.exports}
    return next(name for name in LOSERS if name not in reached)


def astray(capture: Capture, requirement: Requirement) -> Capture:
    """Send one request to the collector of a level that does not win."""
    loser = _loser(capture)
    return _change_one(capture, requirement, lambda export: replace(export, collector=loser))


def connects_elsewhere(capture: Capture, requirement: Requirement) -> Capture:
    """Connect to the collector of a level that does not win, and send nothing."""
    connection = Connection(_loser(capture), capture.run.ended_unix_nano)
    return replace(capture, connections=(*capture.connections, connection))


def nothing_sent(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing, and connect to no collector."""
    return replace(capture, exports=(), connections=())


def other_signal_too(capture: Capture, requirement: Requirement) -> Capture:
    """Send an empty request of the other signal to the same collector."""
    last = capture.exports[-1]
    signal = Signal.LOGS if last.signal is Signal.METRICS else Signal.METRICS
    other = replace(last, signal=signal, body=b"", sequence=last.sequence + 1)
    return replace(capture, exports=(*capture.exports, other))


def other_signal_only(capture: Capture, requirement: Requirement) -> Capture:
    """Export no events."""
    others = tuple(export for export in capture.exports if export.signal is not Signal.LOGS)
    return replace(capture, exports=others)


def header_of_another_level(capture: Capture, requirement: Requirement) -> Capture:
    """Send one request with another value of the header."""
    return _with_header(capture, requirement, ((requirement.path[-1], "another"),))


def header_left_out(capture: Capture, requirement: Requirement) -> Capture:
    """Send one request without the header."""
    return _with_header(capture, requirement, ())


def header_added(capture: Capture, requirement: Requirement) -> Capture:
    """Send one request with a header that should have been removed."""
    added = (requirement.path[-1], "user")

    def add(export: Export) -> Export:
        return replace(export, headers=(*export.headers, added))

    return _change_one(capture, requirement, add)


def _with_header(
    capture: Capture, requirement: Requirement, added: tuple[tuple[str, str], ...]
) -> Capture:
    def change(export: Export) -> Export:
        others = tuple(p for p in export.headers if p[0].lower() != requirement.path[-1])
        if others == export.headers:
            raise ValueError(f"the request has no header {requirement.path[-1]}")
        return replace(export, headers=(*others, *added))

    return _change_one(capture, requirement, change)


def attribute_of_another_level(capture: Capture, requirement: Requirement) -> Capture:
    """Change the attribute in the resource of one request."""

    def change(export: Export) -> Export:
        message = copy_message(export)
        if message is None:
            raise ValueError("the request holds no message")
        for group in editing.groups(message):
            editing.put_attribute(group.resource.attributes, requirement.path[-1], "another")
        return rewritten(export, message)

    return _change_one(capture, requirement, change)


def passed_on(capture: Capture, requirement: Requirement) -> Capture:
    """Pass a variable of OpenTelemetry on to a command."""
    return with_observed(capture, CommandEnvironment(("OTEL_EXPORTER_OTLP_ENDPOINT",)))


LIES = {
    lie.__name__: lie
    for lie in (
        astray,
        connects_elsewhere,
        nothing_sent,
        other_signal_too,
        other_signal_only,
        header_of_another_level,
        header_left_out,
        header_added,
        attribute_of_another_level,
        passed_on,
    )
}
