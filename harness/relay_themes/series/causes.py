"""Say why a sum is wrong, where the data tell it, and what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .grouping import Group, varying, writers
from .totals import Series, Stream, Truth, equal

_CUMULATIVE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative"
_SESSION = "session.id"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why: a word, and a sentence that ends with what to do about it."""

    name: str
    advice: str


#: The data do not tell.
UNKNOWN = Cause("", "")


@dataclass(frozen=True, slots=True)
class Around:
    """What else came out of the collector: whether metrics at this outlet, how many events."""

    metrics: bool
    events: int


def not_accepted(truth: Truth) -> Cause:
    """Say that the collector refused all requests with a metric."""
    return Cause(
        "refused",
        f"the collector refused every request with it ({truth.refused}): give it a metrics "
        f"pipeline that takes {truth.metric.temporality or 'such'} points",
    )


def not_found(truth: Truth, around: Around) -> Cause:
    """Say why a metric that was accepted does not come out at all."""
    if around.metrics or not truth.delta:
        return UNKNOWN
    others = f", while {around.events} events came out" if around.events else ""
    return Cause(
        "deltas dropped",
        f"no metric came out at all{others}: deltas are accepted and dropped before or by the "
        "exporter (remote write, Prometheus’ OTLP receiver and Mimir take cumulative points "
        f"only); add `deltatocumulative` to the metrics pipeline, or set {_CUMULATIVE}",
    )


def differs(group: Group, truth: Truth, found: Sequence[Series]) -> Cause:
    """Say why the series of a group, of all that are found, come to another sum than was sent."""
    if not group.series:
        return UNKNOWN
    if not group.streams:
        return Cause("never sent", "nothing with these values was sent: attributes were changed")
    # A stream of another group has a series of its own there, though this one has no label more.
    by_series = [
        (each, tuple(stream for stream in writers(each, truth, found) if stream in group.streams))
        for each in group.series
    ]
    for check in (_sessions, _removed, _gaps, _expired, _doubled, _several_writers):
        cause = check(group, truth, by_series)
        if cause is not None:
            return cause
    return UNKNOWN


_BySeries = Sequence[tuple[Series, tuple[Stream, ...]]]


def _sessions(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    for _, streams in by_series:
        sessions = {stream.attributes.get(_SESSION, "") for stream in streams}
        if len(sessions) > 1:
            return Cause(
                "sessions in one series",
                f"{len(sessions)} sessions write one series, for `session.id` is no label of it, "
                "so their points replace one another: keep `session.id` "
                "(OTEL_METRICS_INCLUDE_SESSION_ID=true, no `keep_keys` without it), and add the "
                "sessions up in queries",
            )
    # The CLI leaves session.id out: several resources or windows that overlap are told by times.
    for each, streams in by_series:
        if not any(_SESSION in stream.attributes for stream in streams) and (
            each.resets or any(_overlaps(stream) for stream in streams)
        ):
            return Cause(
                "several writers in one series",
                "several processes write one series, for nothing tells them apart: set "
                "OTEL_METRICS_INCLUDE_SESSION_ID=true, or give each its own "
                "`service.instance.id` (OTEL_RESOURCE_ATTRIBUTES)",
            )
    return None


def _overlaps(stream: Stream) -> bool:
    ends = 0
    for start, end, _ in stream.deltas:
        if start < ends:
            return True
        ends = max(ends, end)
    return False


def _removed(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    for each, streams in by_series:
        if len(streams) > 1 and not equal(sum(s.total for s in streams), each.total):
            keys = ", ".join(f"`{key}`" for key in varying(streams))
            return Cause(
                "attributes removed",
                f"{len(streams)} streams became one series when {keys or 'their resource'} was "
                "removed, and their points replace one another: keep what tells them apart, or "
                "add up what becomes equal before `deltatocumulative`: the transform processor "
                "sets `start_time_unix_nano` to `time_unix_nano`, and then does "
                "`aggregate_on_attributes`",
            )
    return None


def _gaps(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    if not truth.delta or not any(stream.gaps for stream in group.streams):
        return None
    for each, streams in by_series:
        if len(streams) != 1 or not any(
            equal(value, each.last) for value in (_replaced(streams[0]), streams[0].deltas[-1][2])
        ):
            return None
    return Cause(
        "deltas with gaps",
        "deltas with gaps go into the `prometheus` exporter: where one does not begin at the end "
        "of the one before, the total is replaced by the delta; add `deltatocumulative` to the "
        f"metrics pipeline, or set {_CUMULATIVE}",
    )


def _replaced(stream: Stream) -> float:
    """Return what stands at the end if a delta after a gap replaces the total."""
    total, ended = 0.0, None
    for start, end, value in stream.deltas:
        total = total + value if start == ended else value
        ended = end
    return total


def _expired(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    if not any(each.vanished for each in group.series):
        return None
    return Cause(
        "series expired",
        "a series vanished between exports, and began again at less: raise `metric_expiration` "
        "of the `prometheus` exporter (5m by default) and `max_stale` of `deltatocumulative` (5m "
        "by default) above the longest pause of a session",
    )


def _doubled(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    for copies in (2, 3):
        if equal(group.sent * copies, group.seen):
            return Cause(
                f"counted {copies} times",
                "each point arrives there as often: by several pipelines into one exporter, or "
                "by requests that were sent again and counted again",
            )
    return None


def _several_writers(group: Group, truth: Truth, by_series: _BySeries) -> Cause | None:
    if not any(each.resets for each in group.series):
        return None
    return Cause(
        "counter fell",
        "a counter began again without a restart: the state that adds up deltas was lost, or "
        "several instances of the collector each add up a part; send each session to one "
        "instance only",
    )
