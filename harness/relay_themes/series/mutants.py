"""Lies about series: what a collector shows, changed in one outlet of a conforming capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...capture.capture import Capture
from ...capture.export import SENT, Export
from ...capture.observed import edit_observed
from ...contract.requirement import Requirement
from ...exposition import SCRAPE
from ...exposition.translation import find
from ...mutants.rewriting import copy_message, rewritten
from ...otlp.model import Metric
from .observed import Scrapes
from .totals import truths

Lie = Callable[[Capture, Requirement], Capture]


@dataclass(frozen=True)
class _Shown:
    """The messages of one outlet, to be edited: by the place of their export in the capture."""

    outlet: str
    messages: Mapping[int, Any]

    def metrics(self, number: int, *names: str) -> Iterator[tuple[Any, Any]]:
        """Yield each metric called one of ``names`` with the repeated field that holds it."""
        for group in self.messages[number].resource_metrics:
            for scope in group.scope_metrics:
                for metric in list(scope.metrics):
                    if metric.name in names:
                        yield metric, scope.metrics

    def of(self, *names: str) -> Iterator[tuple[Any, Any]]:
        """Yield the metrics of these names in all messages, in order."""
        for number in self.messages:
            yield from self.metrics(number, *names)


def _points(metric: Any) -> Any:
    return getattr(metric, metric.WhichOneof("data")).data_points


def _edited(capture: Capture, outlet: str, edit: Callable[[_Shown], None]) -> Capture:
    messages = {
        number: message
        for number, export in enumerate(capture.exports)
        if export.collector == outlet
        and export.data_points
        and (message := copy_message(export)) is not None
    }
    if not messages:
        raise ValueError(f"{capture.run.label}: no series came out at {outlet}")
    edit(_Shown(outlet, messages))
    exports: list[Export] = [
        rewritten(export, messages[number]) if number in messages else export
        for number, export in enumerate(capture.exports)
    ]
    return replace(capture, exports=tuple(exports))


def _outlet(capture: Capture, requirement: Requirement) -> str:
    """Return the outlet to lie at: the one that the requirement is about, else the scrape."""
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    wanted = where.get("outlet", SCRAPE)
    if isinstance(wanted, str):
        return wanted
    there = {export.collector for export in capture.exports if export.data_points} - {SENT}
    return next((name for name in wanted["enum"] if name in there), SCRAPE)


def _a_name(capture: Capture, outlet: str, unit: str = "USD") -> tuple[Metric, str]:
    """Return a metric with this unit, and its name at the outlet."""
    shown = {
        point.metric.name
        for export in capture.exports
        if export.collector == outlet
        for point in export.data_points
    }
    for truth in truths(capture.exports).values():
        names = find(truth.metric, shown)
        if names and truth.metric.unit == unit:
            return truth.metric, names[0].text
    raise ValueError(f"{capture.run.label}: no metric in {unit} came out at {outlet}")


def loses_half(capture: Capture, requirement: Requirement) -> Capture:
    """Show half of every value of a metric."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        for metric, _ in shown.of(name):
            for point in _points(metric):
                point.as_double /= 2

    return _edited(capture, outlet, edit)


def stands_at_the_last_delta(capture: Capture, requirement: Requirement) -> Capture:
    """Replace the last total of a metric by the last delta that was sent."""
    outlet = _outlet(capture, requirement)
    sent, name = _a_name(capture, outlet)
    streams = truths(capture.exports)[sent.name].streams
    last = max((delta for stream in streams for delta in stream.deltas), key=lambda d: d[1])[2]

    def edit(shown: _Shown) -> None:
        for metric, _ in shown.metrics(max(shown.messages), name):
            for point in _points(metric):
                point.as_double = last

    return _edited(capture, outlet, edit)


def hides_a_metric(capture: Capture, requirement: Requirement) -> Capture:
    """Leave a metric out."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        for metric, metrics in shown.of(name):
            metrics.remove(metric)

    return _edited(capture, outlet, edit)


def names_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Show a metric a second time, by its name without suffixes."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        for metric, metrics in shown.of(name):
            again = metrics.add()
            again.CopyFrom(metric)
            again.name = name.removesuffix("_USD_total")

    return _edited(capture, outlet, edit)


def _renamed(capture: Capture, requirement: Requirement, rename: Callable[[str], str]) -> Capture:
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        for metric, _ in shown.of(name):
            metric.name = rename(name)

    return _edited(capture, outlet, edit)


def forgets_the_unit(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the unit out of the name of a metric."""
    return _renamed(capture, requirement, lambda name: name.replace("_USD", ""))


def forgets_total(capture: Capture, requirement: Requirement) -> Capture:
    """Leave ``_total`` out of the name of a counter, and keep its unit."""
    return _renamed(capture, requirement, lambda name: name.removesuffix("_total"))


def serves_gauges(capture: Capture, requirement: Requirement) -> Capture:
    """Show a counter as a gauge."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        for metric, _ in shown.of(name):
            points = list(metric.sum.data_points)
            metric.gauge.data_points.extend(points)

    return _edited(capture, outlet, edit)


def falls(capture: Capture, requirement: Requirement) -> Capture:
    """Show more of a metric at first than at last."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        metric, _ = next(shown.of(name))
        _points(metric)[0].as_double += 1000

    return _edited(capture, outlet, edit)


def vanishes(capture: Capture, requirement: Requirement) -> Capture:
    """Leave a series out of one scrape between others."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        having = [number for number in shown.messages if any(shown.metrics(number, name))]
        if len(having) < 3:
            raise ValueError(f"{name} is in {len(having)} scrapes, so in none between two")
        for metric, metrics in shown.metrics(having[1], name):
            metrics.remove(metric)

    return _edited(capture, outlet, edit)


def shows_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Show a series twice at once."""
    outlet = _outlet(capture, requirement)
    _, name = _a_name(capture, outlet)

    def edit(shown: _Shown) -> None:
        metric, _ = next(shown.of(name))
        _points(metric).add().CopyFrom(_points(metric)[0])

    return _edited(capture, outlet, edit)


def drops_a_label(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out the label ``terminal_type``."""
    return _without_label(capture, requirement, "terminal_type")


def forgets_the_job(capture: Capture, requirement: Requirement) -> Capture:
    """Leave out the label ``job``."""
    return _without_label(capture, requirement, "job")


def forgets_the_version(capture: Capture, requirement: Requirement) -> Capture:
    """Leave the service's version out of ``target_info``."""
    return _without_label(capture, requirement, "service_version")


def _without_label(capture: Capture, requirement: Requirement, label: str) -> Capture:
    outlet = _outlet(capture, requirement)

    def edit(shown: _Shown) -> None:
        removed = 0
        for message in shown.messages.values():
            for group in message.resource_metrics:
                for scope in group.scope_metrics:
                    for metric in scope.metrics:
                        for point in _points(metric):
                            kept = [pair for pair in point.attributes if pair.key != label]
                            removed += len(point.attributes) - len(kept)
                            del point.attributes[:]
                            point.attributes.extend(kept)
        if not removed:
            raise ValueError(f"{capture.run.label}: nothing has the label {label}")

    return _edited(capture, outlet, edit)


def serves_a_type_twice(capture: Capture, requirement: Requirement) -> Capture:
    """Repeat the ``# TYPE`` line of a metric at the end of a scrape."""

    def edit(seen: Scrapes) -> Scrapes:
        first, *others = seen.scrapes
        lines = first.text.splitlines(keepends=True)
        again = next(line for line in lines if line.startswith("# TYPE"))
        return Scrapes((replace(first, text=first.text + again), *others))

    return edit_observed(capture, Scrapes, edit)


LIES: Mapping[str, Lie] = {
    lie.__name__: lie
    for lie in (
        loses_half,
        stands_at_the_last_delta,
        hides_a_metric,
        names_twice,
        forgets_the_unit,
        forgets_total,
        serves_gauges,
        falls,
        vanishes,
        shows_twice,
        drops_a_label,
        forgets_the_job,
        forgets_the_version,
        serves_a_type_twice,
    )
}
