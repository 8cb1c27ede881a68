"""Measure what series say of what was sent: sums, names, labels, falls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...capture.capture import Capture
from ...capture.export import SENT
from ...capture.observed import observed
from ...exposition import SCRAPE, WRITE
from ...exposition.prometheus import is_openmetrics, problems
from ...exposition.translation import Name, find, labels_of
from ...judging.items.item import Item
from ...relay.observed import Restarts
from . import causes
from .grouping import Group, grouped, label
from .observed import Scrapes, SeriesRun
from .totals import (
    Series,
    Truth,
    missing,
    series_of,
    truths,
)

#: What is said to be sent, by the unit of the metric.
_THINGS = {"tokens": "tokens", "USD": "USD", "s": "seconds"}
_SAYS = {
    SCRAPE: "the scrape says",
    WRITE: "remote write says",
    "file": "the file says",
    "grpc": "OTLP/gRPC says",
    "http": "OTLP/HTTP says",
}
_OF_JOB = ("service.name", "service.namespace", "service.instance.id")


@dataclass(frozen=True)
class _Outlet:
    """One outlet of a run, with its series."""

    name: str
    capture: Capture
    restarts: tuple[int, ...]

    @cached_property
    def series(self) -> tuple[Series, ...]:
        return series_of(self.name, self.capture.exports, self.restarts)

    @property
    def of_prometheus(self) -> bool:
        return self.name in (SCRAPE, WRITE)

    @cached_property
    def openmetrics(self) -> bool:
        seen = observed(self.capture.run, Scrapes) or Scrapes()
        return self.name == SCRAPE and any(
            is_openmetrics(scraped.content_type) for scraped in seen.scrapes
        )

    @cached_property
    def target(self) -> tuple[Series, ...]:
        """The series that say what the target is, under whatever namespace."""
        return tuple(each for each in self.series if each.name.endswith("target_info"))

    @cached_property
    def around(self) -> causes.Around:
        metrics = any(each not in self.target for each in self.series)
        events = Counter[str]()
        for export in self.capture.accepted:
            events[export.collector] += len(export.events)
        del events[SENT]
        # The same events may come out at several places.
        return causes.Around(metrics, max(events.values(), default=0))

    def of(self, truth: Truth) -> tuple[tuple[Name, ...], tuple[Series, ...]]:
        """Return the names of a metric here, and its series under any of them."""
        names = find(truth.metric, {each.name for each in self.series})
        texts = {name.text for name in names}
        return names, tuple(each for each in self.series if each.name in texts)


def _outlets(capture: Capture) -> list[_Outlet]:
    """Return the outlets at which series come out, in order of their names.

    Where metrics come out over OTLP as deltas, there are no series to judge. One at which nothing
    came out counts if the run says that it was there.
    """
    run = observed(capture.run, SeriesRun) or SeriesRun()
    seen = {export.collector for export in capture.exports} - {SENT}
    cumulative = {
        export.collector
        for export in capture.accepted
        for point in export.data_points
        if point.metric.temporality == "cumulative" and export.collector != SENT
    }
    prometheus = (seen | {*run.outlets}) & {SCRAPE, WRITE}
    restarts = observed(capture.run, Restarts) or Restarts()
    return [_Outlet(name, capture, restarts.unix_nano) for name in sorted(prometheus | cumulative)]


def totals(capture: Capture) -> list[Item]:
    """Return one item for each outlet, metric and set of values that tell its sums apart."""
    sent = truths(capture.exports)
    return [
        _total(outlet, truth, names, group, series)
        for outlet in _outlets(capture)
        for truth in sent.values()
        for names, series in [outlet.of(truth)]
        for group in grouped(truth, series)
    ]


def _total(
    outlet: _Outlet,
    truth: Truth,
    names: Sequence[Name],
    group: Group,
    series: Sequence[Series],
) -> Item:
    sent, seen = group.sent, group.seen
    lost = 1.0 if truth.refused else missing(sent, seen)
    if not names and sent == 0:
        lost = 1.0
    cause = _cause(outlet, truth, group, series) if abs(lost) > 1e-6 else causes.UNKNOWN
    found_as = [name.text for name in names]
    things = _THINGS.get(truth.metric.unit, truth.metric.unit)
    named = " ".join(filter(None, (truth.metric.name, group.told)))
    says = _SAYS.get(outlet.name, f"{outlet.name} says")
    story = f"{named}: {_n(sent)} {things}".rstrip() + (
        " were sent and refused" if truth.refused else " were sent"
    )
    if group.series:
        story += f", {says} {_n(seen)} (found as {', '.join(found_as)})"
    else:
        story += f", {says} nothing of it"
    if cause.advice:
        story += f"; {cause.advice}"
    return Item(
        f"{outlet.capture.run.label} · {story}",
        {
            "name": truth.metric.name,
            "by": dict(group.by),
            "outlet": outlet.name,
            "found_as": found_as,
            "sent_total": sent,
            "seen_total": seen,
            "increase": sum(each.increase for each in group.series),
            "missing": lost,
            "resets": sum(each.resets for each in group.series),
            "gaps": any(stream.gaps for stream in group.streams),
            "series": len(group.series),
            "cause": cause.name,
            "advice": cause.advice,
        },
    )


def _n(value: float) -> str:
    return f"{value:.10g}"


def _cause(outlet: _Outlet, truth: Truth, group: Group, series: Sequence[Series]) -> causes.Cause:
    if truth.refused:
        return causes.not_accepted(truth)
    if not series:
        return causes.not_found(truth, outlet.around)
    return causes.differs(group, truth, series)


def series_names(capture: Capture) -> list[Item]:
    """Return one item for each metric that was accepted, at each outlet of Prometheus' form."""
    items = []
    sent = truths(capture.exports)
    for outlet in _outlets(capture):
        for truth in sent.values():
            if truth.refused or not outlet.of_prometheus:
                continue
            names, series = outlet.of(truth)
            texts = [name.text for name in names]
            kinds = sorted({each.kind for each in series})
            items.append(
                Item(
                    f"{capture.run.label} · {truth.metric.name} at {outlet.name}: "
                    + (f"found as {', '.join(texts)}" if texts else "not found"),
                    {
                        "name": truth.metric.name,
                        "outlet": outlet.name,
                        "found_as": texts,
                        "found": len(texts),
                        # Of what is not found, nothing can be said about its suffixes.
                        **(_suffixes(names[0], kinds, outlet) if names else {}),
                    },
                )
            )
    return items


def _suffixes(name: Name, kinds: Sequence[str], outlet: _Outlet) -> Mapping[str, Any]:
    told = {
        "namespace": name.namespace,
        "strategy": name.strategy.value,
        "total_suffix": name.total,
        "kinds": list(kinds),
    }
    # OpenMetrics ends each counter with `_total`, where no suffixes are added, too: without a
    # unit, such a name is right or lacks it, and nothing tells which.
    if outlet.openmetrics and name.total and not name.unit:
        return told
    return {**told, "unit_suffix": name.unit}


def series_counters(capture: Capture) -> list[Item]:
    """Return one item for each metric that is found at an outlet: what its series went through."""
    items = []
    sent = truths(capture.exports)
    for outlet in _outlets(capture):
        for truth in sent.values():
            _, series = outlet.of(truth)
            if not series:
                continue
            counts = {
                "resets": sum(each.resets for each in series),
                "vanished": sum(each.vanished for each in series),
                "repeated": sum(each.repeated for each in series),
            }
            story = ", ".join(f"{number} {what}" for what, number in counts.items())
            items.append(
                Item(
                    f"{capture.run.label} · {truth.metric.name} at {outlet.name}, "
                    f"{len(series)} series: {story}",
                    {"name": truth.metric.name, "outlet": outlet.name, **counts},
                )
            )
    return items


def series_labels(capture: Capture) -> list[Item]:
    """Return one item for each attribute of the metrics that are found, at each outlet."""
    items = []
    sent = truths(capture.exports)
    for outlet in _outlets(capture):
        found: dict[str, str] = {}
        lacking: dict[str, list[str]] = {}
        changed: dict[str, list[str]] = {}
        for truth in sent.values():
            _, series = outlet.of(truth)
            for key in sorted({key for s in truth.streams for key in s.attributes if series}):
                lacking.setdefault(key, [])
                changed.setdefault(key, [])
                names = {name for each in series for name in labels_of(key) & each.labels.keys()}
                if not names:
                    lacking[key].append(truth.metric.name)
                    continue
                found[key] = min(names)
                values = {s.attributes[key] for s in truth.streams if key in s.attributes}
                if {label(each, key) for each in series} - {""} != values:
                    changed[key].append(truth.metric.name)
        for key in lacking:
            story = f"found as {found[key]}" if key in found else "not found"
            if lacking[key] and key in found:
                story += f", not on {', '.join(lacking[key])}"
            items.append(
                Item(
                    f"{capture.run.label} · the attribute {key} at {outlet.name}: {story}",
                    {
                        "key": key,
                        "outlet": outlet.name,
                        "found_as": found.get(key, ""),
                        "lacking": lacking[key],
                        "changed": changed[key],
                    },
                )
            )
    return items


def series_targets(capture: Capture) -> list[Item]:
    """Return one item for each attribute of the resource, at each outlet of Prometheus' form."""
    items = []
    resources = [
        stream.resource
        for truth in truths(capture.exports).values()
        for stream in truth.streams
        if not truth.refused
    ]
    for outlet in _outlets(capture):
        # Without any series of ours, there is no target to describe.
        if not outlet.of_prometheus or not outlet.around.metrics:
            continue
        for key in sorted({key for resource in resources for key in resource}):
            values = {resource[key] for resource in resources if key in resource}
            where = _place(outlet, key, values, resources)
            items.append(
                Item(
                    f"{capture.run.label} · the resource’s {key} at {outlet.name}: "
                    + (f"found in {where}" if where else "not found"),
                    {"key": key, "outlet": outlet.name, "found_in": where},
                )
            )
    return items


def _place(
    outlet: _Outlet, key: str, values: set[str], resources: Sequence[Mapping[str, str]]
) -> str:
    """Return where the values of a resource's attribute are: ``job``, ``target_info`` and so on."""
    if key in _OF_JOB[:2]:
        jobs = {
            "/".join(filter(None, (resource.get(_OF_JOB[1]), resource.get(_OF_JOB[0]))))
            for resource in resources
        }
        if jobs <= {each.labels.get("job") for each in outlet.series}:
            return "job"
    if key == _OF_JOB[2] and values <= {each.labels.get("instance", "") for each in outlet.series}:
        return "instance"
    others = [each for each in outlet.series if each not in outlet.target]
    for place, series in (("target_info", outlet.target), ("series", others)):
        if values <= {label(each, key) for each in series}:
            return place
    return ""


def scraped_text(capture: Capture) -> list[Item]:
    """Return one item for each text that was scraped, with what is wrong with its format."""
    seen = observed(capture.run, Scrapes) or Scrapes()
    return [
        Item(
            f"{capture.run.label} · scrape {number} of {scraped.url}",
            {
                "content_type": scraped.content_type,
                "problems": problems(scraped.text, scraped.content_type),
            },
        )
        for number, scraped in enumerate(seen.scrapes, start=1)
        if not scraped.problem
    ]


MEASURES = (
    scraped_text,
    series_counters,
    series_labels,
    series_names,
    series_targets,
    totals,
)
