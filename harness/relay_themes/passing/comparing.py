"""Compare, for each outlet of a run, what came out with what should have, once for all measures."""

from __future__ import annotations

import math
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...capture.capture import Capture
from ...capture.export import SENT, Export
from ...capture.observed import observed
from ...otlp.model import DataPoint, Event, Signal, Span
from .aggregating import as_expected
from .applying import (
    SAMPLED,
    Expectation,
    expect,
    without_sampling,
)
from .facets import Keys, Telemetry, name_of
from .matching import Bound, Matched, match
from .observed import SERIES_OUTLETS, Change, Passing
from .settling import settle

_OF_SIGNAL: Mapping[Signal, type[Telemetry]] = {
    Signal.METRICS: DataPoint,
    Signal.LOGS: Event,
    Signal.TRACES: Span,
}
#: How far the share of what is passed on may be from the declared one, in standard deviations.
_DEVIATIONS = 5


@dataclass(slots=True)
class Use:
    """What became of a declared change: how many items it was about, and in how many it was seen.

    ``problems`` say how what came out is not as declared.
    """

    concerned: int = 0
    changed: int = 0
    seen: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """What came out at one outlet, beside what was sent.

    ``sent`` counts by signal and the name under which it was sent; ``matched`` is by signal, and
    so is ``turned_away``: what the collector has never accepted, was not declared to be dropped,
    and did not come out. ``uses`` are by the number of the declared change. Names in ``elsewhere``
    are not compared: their sums become cumulative.
    """

    outlet: str
    sent: Mapping[tuple[Signal, str], int]
    matched: Mapping[Signal, Matched]
    turned_away: Mapping[Signal, list[Bound]]
    uses: Mapping[int, Use]
    elsewhere: frozenset[str]


#: By the identity of the capture: several measures ask for the same.
_KNOWN: dict[int, tuple[Comparison, ...]] = {}


def comparisons(capture: Capture) -> tuple[Comparison, ...]:
    """Return a comparison for each outlet that the scenario named; none if it named none.

    A capture is compared once, however often it is asked for.
    """
    key = id(capture)
    if key not in _KNOWN:
        passing = observed(capture.run, Passing)
        _KNOWN[key] = () if passing is None else tuple(_compare(capture, passing))
        weakref.finalize(capture, _KNOWN.pop, key, None)
    return _KNOWN[key]


def sent_exports(capture: Capture) -> list[Export]:
    """Return the requests that the collector under test accepted."""
    return [export for export in capture.accepted if export.collector == SENT]


def _compare(capture: Capture, passing: Passing) -> Iterable[Comparison]:
    everything = list(_items(sent_exports(capture)))
    counts = Counter((signal, name_of(item)) for signal, item in everything)
    came_out = {
        (each.signal, each.collector) for each in capture.accepted if each.collector != SENT
    }
    refused = list(_items(each for each in capture.rejected if each.collector == SENT))
    keys = Keys()
    accepted = {keys.of(item) for _, item in everything} if refused else set()
    for outlet in passing.outlets:
        # Metrics of which series were made are not to come out here as well.
        as_series = any((Signal.METRICS, place) in came_out for place in SERIES_OUTLETS)
        elsewhere = {Signal.METRICS} if as_series else set()
        elsewhere -= {signal for signal, place in came_out if place == outlet}
        sent = [(signal, item) for signal, item in everything if signal not in elsewhere]
        arrived = defaultdict(list)
        for signal, item in _items(each for each in capture.accepted if each.collector == outlet):
            arrived[signal].append(item)
        changes = [each for each in passing.changes if not each.outlets or outlet in each.outlets]
        expectation = expect(changes, (item for _, item in sent), outlet)
        tolerated = expect(changes, (item for _, item in refused), outlet)
        never = expect(
            changes, (item for _, item in refused if keys.of(item) not in accepted), outlet
        )
        made = _compared(outlet, changes, expectation, arrived, tolerated, counts)
        _turn_away(made, never, arrived)
        yield made


def _items(exports: Iterable[Export]) -> Iterable[tuple[Signal, Telemetry]]:
    for export in exports:
        if export.signal is not None:
            for item in export.items:
                yield export.signal, item


def _compared(
    outlet: str,
    changes: Sequence[Change],
    expectation: Expectation,
    arrived: Mapping[Signal, list[Telemetry]],
    tolerated: Expectation,
    counts: Mapping[tuple[Signal, str], int],
) -> Comparison:
    uses = {change.number: Use(expectation.concerned[change.number]) for change in changes}
    matched = {}
    for signal, kind in _OF_SIGNAL.items():
        bound = [each for each in expectation.bound if isinstance(each.item, kind)]
        refused = [each for each in tolerated.bound if isinstance(each.item, kind)]
        came = arrived.get(signal, [])
        if signal is Signal.METRICS:
            came = _with_sums(expectation, bound, came, uses)
        if signal is Signal.TRACES and any(each.kind == "sampled" for each in changes):
            came = [without_sampling(item) for item in came]
        settle([*bound, *refused], came)
        found = match(bound, came, [each.item for each in refused])
        _sample(found, changes, uses)
        _note_uses(found, uses)
        matched[signal] = found
    _note_dropped(expectation, arrived, uses)
    return Comparison(outlet, counts, matched, {}, uses, frozenset(expectation.elsewhere))


def _turn_away(
    made: Comparison, never: Expectation, arrived: Mapping[Signal, list[Telemetry]]
) -> None:
    """Note what was never accepted; a signal that is declared to be dropped may be refused."""
    turned_away = {}
    for signal, kind in _OF_SIGNAL.items():
        keys = Keys()
        came = {keys.of(item) for item in made.matched[signal].refused}
        # What is sent again is turned away once.
        left = {keys.of(bound.item): bound for bound in never.bound if isinstance(bound.item, kind)}
        turned_away[signal] = [bound for key, bound in left.items() if key not in came]
    made.turned_away = turned_away
    for number, count in never.concerned.items():
        made.uses[number].concerned += count
    _note_dropped(never, arrived, made.uses)


def _with_sums(
    expectation: Expectation,
    bound: Sequence[Bound],
    came: Sequence[Telemetry],
    uses: Mapping[int, Use],
) -> list[Telemetry]:
    """Return the points that are compared: without those of cumulative sums, the rest added up."""
    kept: list[Telemetry] = []
    added_up: list[DataPoint] = []
    for item in came:
        assert isinstance(item, DataPoint)
        name = item.metric.name
        if name in expectation.cumulative and item.metric.type == "sum":
            use = uses[expectation.cumulative[name]]
            use.changed += 1
            use.seen += item.metric.temporality == "cumulative"
        elif name in expectation.added_up and item.metric.type == "sum":
            added_up.append(item)
        else:
            kept.append(item)
    for number, count in expectation.merged.items():
        uses[number].changed += count
    for number in set(expectation.added_up.values()):
        names = {name for name, each in expectation.added_up.items() if each == number}
        meant = [each for each in bound if name_of(each.item) in names]
        wanted = [each.item for each in meant if isinstance(each.item, DataPoint)]
        some = [point for point in added_up if point.metric.name in names]
        points, as_one = as_expected(wanted, some)
        merged = (number, "value")
        uses[number].seen += sum(merged in meant[each].touched for each in as_one)
        kept += points
    return kept


def _sample(matched: Matched, changes: Sequence[Change], uses: Mapping[int, Use]) -> None:
    """Take what a declared sampling leaves out from what is lost, and hold it to its share."""
    for change in changes:
        if change.kind != "sampled":
            continue
        meant = (change.number, SAMPLED)
        there = [bound for bound, _ in matched.same if meant in bound.touched]
        there += [pair.expected for pair in matched.changed if meant in pair.expected.touched]
        whole = {_trace(bound.item) for bound in there} if change.by == "trace" else set()
        gone = [
            bound
            for bound in matched.lost
            if meant in bound.touched and _trace(bound.item) not in whole
        ]
        if change.by == "trace":
            # An item of no trace belongs to none that is passed on, or not, as a whole.
            gone = [bound for bound in gone if _trace(bound.item)]
        ours = {id(bound) for bound in gone}
        matched.lost = [bound for bound in matched.lost if id(bound) not in ours]
        use = uses[change.number]
        use.changed += len(there) + len(gone)
        use.seen += len(gone)
        _hold_to_share(change, there, gone, use)


def _hold_to_share(change: Change, there: Sequence[Bound], gone: Sequence[Bound], use: Use) -> None:
    if change.ratio is None or (not there and not gone):
        return
    kept, total = len(there), len(there) + len(gone)
    if change.by == "trace":
        kept = len({_trace(bound.item) for bound in there})
        total = kept + len({_trace(bound.item) for bound in gone})
    share = change.ratio
    slack = _DEVIATIONS * math.sqrt(total * share * (1 - share)) + 1
    if abs(kept - total * share) > slack:
        what = "traces" if change.by == "trace" else "items"
        use.problems.append(f"{kept} of {total} {what} came out, {share:g} of them were declared")
    elif not gone and share**total > 1e-6:
        use.seen += 1  # So few that all of them may be passed on by chance.


def _trace(item: Telemetry) -> str:
    return "" if isinstance(item, DataPoint) else item.trace_id


def _note_uses(matched: Matched, uses: Mapping[int, Use]) -> None:
    for bound, _ in matched.same:
        for number, path in bound.touched:
            if path != SAMPLED:
                _note(uses[number], seen=True, merged=path == "value")
    for pair in matched.changed:
        paths = {each.path for each in pair.differences}
        for number, path in pair.expected.touched:
            if path != SAMPLED:
                _note(uses[number], seen=path not in paths, merged=path == "value")
    for bound in matched.lost:
        for number, path in bound.touched:
            if path != SAMPLED:
                _note(uses[number], seen=False, merged=path == "value")


def _note(use: Use, *, seen: bool, merged: bool) -> None:
    """Count an item that a change has touched; what was added up is counted already."""
    if not merged:
        use.changed += 1
        use.seen += seen


def _note_dropped(
    expectation: Expectation, arrived: Mapping[Signal, list[Telemetry]], uses: Mapping[int, Use]
) -> None:
    if not expectation.dropped:
        return
    keys = Keys()
    there = Counter(keys.of(item) for items in arrived.values() for item in items)
    for number, item in expectation.dropped:
        key = keys.of(item)
        uses[number].changed += 1
        if there[key]:
            there[key] -= 1
        else:
            uses[number].seen += 1
