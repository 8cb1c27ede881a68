"""Lies about retries of exports, and about how a session copes with a failing collector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...capture.capture import Capture
from ...capture.deliveries import Delivery
from ...capture.export import Export
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...judging.checks.fields import chosen
from ...judging.items.measured import by_name
from ...judging.items.view import CaptureView
from ...mutants.editing import prune
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import ExportMetricsServiceRequest
from .experiment import AT_ONCE_S, LINGERS_S, SHORTER, WAITS_ON_S
from .measures import MEASURES, shortest_first_pause_s, understood
from .observed import Aftermath

_SECOND_NS = 1_000_000_000


def not_sent_again(capture: Capture, requirement: Requirement) -> Capture:
    """Give up a refused delivery after its first request."""
    _, *later = _delivery(capture, requirement).attempts
    return replace(
        capture, exports=tuple(export for export in capture.exports if export not in later)
    )


def sent_again(capture: Capture, requirement: Requirement) -> Capture:
    """Send a delivery once more, a second later, and have it accepted."""
    first = _delivery(capture, requirement).attempts[0]
    return _with(capture, _again(first, first.arrived_unix_nano + _SECOND_NS))


def taken_again(capture: Capture, requirement: Requirement) -> Capture:
    """Send again a request that was accepted at once."""
    plain = [export for export in capture.accepted if export.items and not export.answered]
    if not plain:
        raise ValueError(f"{capture.run.label} had nothing but trouble")
    return _with(capture, _again(plain[0], plain[0].arrived_unix_nano + _SECOND_NS))


def taken_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Send the same request twice: a new one, with one data point of value 0."""
    last = max(
        (export for export in capture.accepted if export.data_points),
        key=lambda export: export.data_points[-1].time_unix_nano,
        default=None,
    )
    message = copy_message(last) if last else None
    if last is None or not isinstance(message, ExportMetricsServiceRequest):
        raise ValueError(f"{capture.run.label} exported no data point")
    point = None
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                point = point or metric.sum.data_points[-1]
                remaining = [point] if point in metric.sum.data_points else []
                del metric.sum.data_points[:]
                metric.sum.data_points.extend(remaining)
    assert point is not None
    prune(message)
    (kept_point,) = message.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points
    kept_point.as_double = 0.0
    kept_point.start_time_unix_nano = kept_point.time_unix_nano = point.time_unix_nano + 1
    own = replace(rewritten(last, message), sequence=len(capture.exports) + 1)
    return _with(_with(capture, own), replace(own, sequence=own.sequence + 1))


def sent_again_at_once(capture: Capture, requirement: Requirement) -> Capture:
    """Send the second request of a delivery at once, without a pause."""
    first, second, *_ = _several(_delivery(capture, requirement), 2)
    return _moved(capture, second, first.arrived_unix_nano + round(AT_ONCE_S * _SECOND_NS))


def sent_again_sooner(capture: Capture, requirement: Requirement) -> Capture:
    """Make the last pause of a delivery half as long as the shortest first one of the session."""
    *_, earlier, last = _several(_delivery(capture, requirement), 3)
    pause_s = SHORTER * shortest_first_pause_s(understood(capture))
    return _moved(capture, last, earlier.arrived_unix_nano + round(pause_s * _SECOND_NS))


def waits_on(capture: Capture, requirement: Requirement) -> Capture:
    """Wait five seconds longer for an answer before giving up."""
    first = _delivery(capture, requirement).attempts[0]
    longer = first.given_up_unix_nano + round(WAITS_ON_S * _SECOND_NS)
    later = replace(first, given_up_unix_nano=longer)
    return instead(capture, first, later)


def gave_up_work(capture: Capture, requirement: Requirement) -> Capture:
    """End the session with an error."""
    return replace(capture, run=replace(capture.run, exit_code=1))


def says_nothing(capture: Capture, requirement: Requirement) -> Capture:
    """Print nothing at the end of the session."""
    return replace(capture, run=replace(capture.run, stdout=""))


def lingers(capture: Capture, requirement: Requirement) -> Capture:
    """Keep the process running for a minute after its work."""

    def linger(aftermath: Aftermath) -> Aftermath:
        if aftermath.lingered_s is None:
            raise ValueError(f"{capture.run.label} did no work that it could outlast")
        return replace(aftermath, lingered_s=LINGERS_S)

    return edit_observed(capture, Aftermath, linger)


def never_again(capture: Capture, requirement: Requirement) -> Capture:
    """Export nothing after the collector's failure."""
    return _none_after(capture, requirement.path[-1])


def _delivery(capture: Capture, requirement: Requirement) -> Delivery:
    """Return the first delivery that the requirement is about and whose item has the field."""
    items = chosen(requirement, CaptureView(capture, by_name(*MEASURES)))
    for delivery in understood(capture):
        first = delivery.attempts[0]
        for item in items:
            if item.view["sequence"] == first.sequence and requirement.path[-1] in item.view:
                return delivery
    raise ValueError(f"{capture.run.label} has no such delivery")


def _several(delivery: Delivery, attempts: int) -> list[Export]:
    if len(delivery.attempts) < attempts:
        raise ValueError(f"a delivery came {len(delivery.attempts)} times only")
    return delivery.attempts


def _again(export: Export, arrived_unix_nano: int) -> Export:
    taken = replace(export, rejected="", answered="", given_up_unix_nano=0)
    return replace(taken, arrived_unix_nano=arrived_unix_nano)


def _with(capture: Capture, export: Export) -> Capture:
    return replace(capture, exports=(*capture.exports, export))


def sent_in_chunks(capture: Capture, requirement: Requirement) -> Capture:
    """Send the last request over HTTP in chunks, without a Content-Length."""
    over_http = [export for export in capture.exports if export.header("content-length")]
    if not over_http:
        raise ValueError(f"{capture.run.label} exported nothing over HTTP")
    last = over_http[-1]
    others = [header for header in last.headers if header[0].lower() != "content-length"]
    return instead(
        capture, last, replace(last, headers=(*others, ("transfer-encoding", "chunked")))
    )


def _moved(capture: Capture, export: Export, arrived_unix_nano: int) -> Capture:
    return instead(capture, export, replace(export, arrived_unix_nano=arrived_unix_nano))


def _none_after(capture: Capture, name: str) -> Capture:
    """Set the count of exports accepted after a failure, the field ``name``, to 0."""

    def none(aftermath: Aftermath) -> Aftermath:
        if getattr(aftermath, name) is None:
            raise ValueError(f"{capture.run.label} was not observed for {name}")
        return replace(aftermath, **{name: 0})

    return edit_observed(capture, Aftermath, none)


LIES: Mapping[str, Callable[[Capture, Requirement], Capture]] = {
    lie.__name__: lie
    for lie in (
        not_sent_again,
        sent_again,
        taken_again,
        taken_twice,
        sent_again_at_once,
        sent_again_sooner,
        waits_on,
        gave_up_work,
        says_nothing,
        lingers,
        never_again,
        sent_in_chunks,
    )
}
