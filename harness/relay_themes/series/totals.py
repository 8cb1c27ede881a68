"""Count what was sent, and what series say of it: the sums that a relay must not change."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ...capture.export import SENT, Export
from ...exposition.translation import Name, find
from ...otlp.model import Attributes, DataPoint, Metric, Value

_NO_RECORDED_VALUE = 1


def text(value: Value) -> str:
    """Return the text of an attribute's value, as a label has it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (tuple, Attributes)):
        return json.dumps(value, default=dict, separators=(",", ":"))
    return value.hex() if isinstance(value, bytes) else str(value)


def texts(attributes: Mapping[str, Value]) -> dict[str, str]:
    """Return attributes as labels have them; an empty label is one that is not there."""
    found = {key: text(value) for key, value in attributes.items()}
    return {key: value for key, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Stream:
    """The increases of one stream that was sent: resource and attributes as texts, by their keys.

    ``deltas`` are in order of their time, each with the window in which it was counted. A
    cumulative stream is told by its increases, in windows from one point to the next.
    """

    attributes: Mapping[str, str]
    resource: Mapping[str, str]
    deltas: tuple[tuple[int, int, float], ...]

    @property
    def total(self) -> float:
        """The sum of everything that was counted."""
        return sum(value for _, _, value in self.deltas)

    @property
    def gaps(self) -> bool:
        """Whether a window does not begin where the one before ended."""
        return any(start != end for (_, end, _), (start, _, _) in pairwise(self.deltas))


@dataclass(frozen=True, slots=True)
class Truth:
    """What was sent of one metric.

    ``refused`` is the reason why none of it was accepted; empty if any was.
    """

    metric: Metric
    streams: tuple[Stream, ...]
    refused: str = ""

    @property
    def delta(self) -> bool:
        """Whether it was sent as deltas."""
        return self.metric.temporality == "delta"


_Identity = tuple[object, ...]


def identity(point: DataPoint) -> _Identity:
    """Return what tells a stream from others of the same metric."""
    return (point.resource.attributes.key, point.scope.name, point.attributes.key)


def truths(sent: Iterable[Export]) -> dict[str, Truth]:
    """Return what was sent of each sum, by its name, in order of first sight.

    Only accepted requests count. A metric of which every request was refused has the points of
    these, each once, however often it was sent again.
    """
    exports = [export for export in sent if export.collector == SENT]
    accepted = _of_sums(export for export in exports if not export.rejected)
    refused = _of_sums(export for export in exports if export.rejected)
    reasons = {
        point.metric.name: export.rejected
        for export in exports
        for point in export.data_points
        if export.rejected
    }
    found = {name: Truth(points[0].metric, _streams(points)) for name, points in accepted.items()}
    for name, points in refused.items():
        if name not in found:
            once = {(identity(p), p.start_time_unix_nano, p.time_unix_nano): p for p in points}
            found[name] = Truth(points[0].metric, _streams([*once.values()]), reasons[name])
    return found


def _of_sums(exports: Iterable[Export]) -> dict[str, list[DataPoint]]:
    points: dict[str, list[DataPoint]] = defaultdict(list)
    for export in exports:
        for point in export.data_points:
            if point.metric.type == "sum" and point.value is not None:
                points[point.metric.name].append(point)
    return points


def _streams(points: Sequence[DataPoint]) -> tuple[Stream, ...]:
    by_identity: dict[_Identity, list[DataPoint]] = defaultdict(list)
    for point in points:
        by_identity[identity(point)].append(point)
    return tuple(_stream(members) for members in by_identity.values())


def _stream(points: list[DataPoint]) -> Stream:
    points = sorted(points, key=lambda point: point.time_unix_nano)
    if points[0].metric.temporality == "cumulative":
        deltas = _increases(points)
    else:
        deltas = [
            (point.start_time_unix_nano, point.time_unix_nano, _number(point)) for point in points
        ]
    first = points[0]
    return Stream(texts(first.attributes), texts(first.resource.attributes), tuple(deltas))


def _increases(points: Sequence[DataPoint]) -> list[tuple[int, int, float]]:
    """Convert cumulative points to increases; each start begins anew, and so does a fall."""
    before: dict[int, tuple[int, float]] = {}
    deltas = []
    for point in points:
        start, value = point.start_time_unix_nano, _number(point)
        time, last = before.get(start, (start, 0.0))
        deltas.append((time, point.time_unix_nano, value - last if value >= last else value))
        before[start] = (point.time_unix_nano, value)
    return deltas


def _number(point: DataPoint) -> float:
    return float(point.value or 0)


@dataclass(frozen=True, slots=True)
class Series:
    """One series that came out, and what it says.

    ``total`` is what it stands at: for a counter its last value, and what it had come to before
    each restart of the collector; in OTLP the sum over all starts. ``increase`` is what
    Prometheus' ``increase()`` would count from zero on without extrapolating: a fall begins anew.
    ``resets`` are the falls that no restart explains, ``vanished`` how often it was gone,
    ``repeated`` how often it was there twice at once. ``present`` says whether it was there last.
    """

    name: str
    labels: Mapping[str, str]
    total: float
    increase: float
    last: float
    resets: int = 0
    vanished: int = 0
    repeated: int = 0
    present: bool = True
    kind: str = "sum"


@dataclass(slots=True)
class _Fold:
    """Adds up the values of one series as they come."""

    restarts: Sequence[int]
    total: float = 0.0
    increase: float = 0.0
    last: float | None = None
    seen_unix_nano: int = 0
    start: int = 0
    resets: int = 0

    def add(self, value: float, unix_nano: int, start: int = 0, *, was_gone: bool = False) -> None:
        before = 0.0 if self.last is None else self.last
        restarted = self.last is not None and any(
            self.seen_unix_nano < restart <= unix_nano for restart in self.restarts
        )
        # After a restart, a counter that has come to more than before shows no fall. Only another
        # start, where one is told, or that it was gone for a while tells that it began anew.
        anew = restarted and (was_gone or 0 != start != self.start != 0)
        if value >= before and not anew:
            self.increase += value - before
            self.total += value - before
        else:
            self.increase += value
            self.total += value if restarted else value - before
            self.resets += not restarted
        self.last, self.start = value, start
        self.seen_unix_nano = unix_nano


@dataclass(slots=True)
class _Shown:
    """What was shown of one series of Prometheus, in order.

    That is the time of each value, when it was shown, the value (None: the series ended), and the
    start that was told of it.
    """

    point: DataPoint
    values: list[tuple[int, int, float | None, int]] = field(default_factory=list)
    repeated: int = 0


def scraped(exports: Sequence[Export], restarts: Sequence[int] = ()) -> tuple[Series, ...]:
    """Return every series of a scraped endpoint; each export is all that it showed at a time."""
    shown: dict[_Identity, _Shown] = {}
    readable = [export for export in exports if not export.rejected]
    for export in readable:
        there: set[_Identity] = set()
        at = (export.arrived_unix_nano, export.arrived_unix_nano)
        for point in export.data_points:
            key = (point.metric.name, *identity(point))
            series = shown.setdefault(key, _Shown(point))
            if key in there:
                series.repeated += 1
                continue
            there.add(key)
            series.values.append((*at, _shown_value(point), point.start_time_unix_nano))
        for key in shown.keys() - there:
            values = shown[key].values
            if values and values[-1][2] is not None:
                values.append((*at, None, 0))
    return tuple(_series(each, restarts) for each in shown.values())


def written(exports: Iterable[Export], restarts: Sequence[int] = ()) -> tuple[Series, ...]:
    """Return every series that was written to a remote Prometheus.

    Of two values for one time, Prometheus keeps the first.
    """
    shown: dict[_Identity, _Shown] = {}
    at: dict[tuple[_Identity, int], float | None] = {}
    for export in exports:
        for point in () if export.rejected else export.data_points:
            key = (point.metric.name, *identity(point))
            series = shown.setdefault(key, _Shown(point))
            value, time = _shown_value(point), point.time_unix_nano
            if (key, time) in at:
                series.repeated += at[key, time] != value
                continue
            at[key, time] = value
            series.values.append(
                (time, export.arrived_unix_nano, value, point.start_time_unix_nano)
            )
    for series in shown.values():
        series.values.sort(key=lambda value: value[0])
    return tuple(_series(each, restarts) for each in shown.values())


def _shown_value(point: DataPoint) -> float | None:
    """Return the value of a point; None for one that ends its series."""
    if point.value is None or point.flags & _NO_RECORDED_VALUE:
        return None
    return _number(point)


def _series(shown: _Shown, restarts: Sequence[int]) -> Series:
    fold = _Fold(restarts)
    vanished = 0
    gone = False
    for _, arrived, value, start in shown.values:
        if value is None:
            gone = True
            vanished += not any(fold.seen_unix_nano < each <= arrived for each in restarts)
        else:
            fold.add(value, arrived, start, was_gone=gone)
            gone = False
    return Series(
        shown.point.metric.name,
        _labels(shown.point),
        fold.total,
        fold.increase,
        fold.last or 0.0,
        fold.resets,
        vanished,
        shown.repeated,
        present=not gone,
        kind=shown.point.metric.type,
    )


def sent_on(exports: Iterable[Export], restarts: Sequence[int] = ()) -> tuple[Series, ...]:
    """Return every stream of sums that came out over OTLP, cumulative or not, as a series."""
    by_identity: dict[_Identity, list[tuple[int, DataPoint]]] = defaultdict(list)
    for export in exports:
        for point in () if export.rejected else export.data_points:
            if point.metric.type == "sum" and point.value is not None:
                key = (point.metric.name, *identity(point))
                by_identity[key].append((export.arrived_unix_nano, point))
    return tuple(_of_stream(points, restarts) for points in by_identity.values())


def _of_stream(arrived: list[tuple[int, DataPoint]], restarts: Sequence[int]) -> Series:
    arrived = sorted(arrived, key=lambda pair: pair[1].time_unix_nano)
    first = arrived[0][1]
    if first.metric.temporality != "cumulative":
        total = sum(_number(point) for _, point in arrived)
        last = _number(arrived[-1][1])
        return Series(first.metric.name, _labels(first), total, total, last)
    folds: dict[int, _Fold] = {}
    for unix_nano, point in arrived:
        folds.setdefault(point.start_time_unix_nano, _Fold(restarts)).add(_number(point), unix_nano)
    begun: list[int] = [point.start_time_unix_nano for _, point in arrived]
    # A start that comes back after another one is a second writer; a new one is a restart.
    back = sum(a != b and b in begun[:n] for n, (a, b) in enumerate(pairwise(begun), start=1))
    return Series(
        first.metric.name,
        _labels(first),
        sum(fold.total for fold in folds.values()),
        sum(fold.increase for fold in folds.values()),
        _number(arrived[-1][1]),
        back + sum(fold.resets for fold in folds.values()),
    )


def _labels(point: DataPoint) -> dict[str, str]:
    return {**texts(point.resource.attributes), **texts(point.attributes)}


def series_of(
    outlet: str, exports: Sequence[Export], restarts: Sequence[int] = ()
) -> tuple[Series, ...]:
    """Return the series that came out of ``outlet``, by the rules of what it is."""
    own = [export for export in exports if export.collector == outlet]
    if outlet == "scrape":
        return scraped(own, restarts)
    return written(own, restarts) if outlet == "write" else sent_on(own, restarts)


def found(metric: Metric, series: Sequence[Series]) -> tuple[Name, ...]:
    """Return the names under which a metric is found among the series of an outlet."""
    return find(metric, {each.name for each in series})


def reached(exports: Sequence[Export], outlet: str, restarts: Sequence[int] = ()) -> bool:
    """Return whether the series of an outlet have come to everything that was accepted.

    This is what to wait for: before that, nothing is known to be missing.
    """
    series = series_of(outlet, exports, restarts)
    for truth in truths(exports).values():
        if truth.refused:
            continue
        names = {name.text for name in found(truth.metric, series)}
        total = sum(stream.total for stream in truth.streams)
        seen = sum(each.total for each in series if each.name in names)
        if not names or not equal(total, seen):
            return False
    return True


def equal(sent: float, seen: float) -> bool:
    """Return whether two sums are the same, whatever the order in which they were added up."""
    return abs(missing(sent, seen)) <= 1e-6


def missing(sent: float, seen: float) -> float:
    """Return the fraction of what was sent that is not seen; negative if more is seen."""
    if sent == 0:
        return 0.0 if seen == 0 else -1.0
    return (sent - seen) / sent
