"""Note what a release sends, by kind and name: metrics, events, spans, resources, and scopes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..capture.export import Export
from ..capture.names import OF_THE_CLOCK, event_name
from ..capture.run import Run
from ..judging.items.view import SPAN_KINDS, STATUS_CODES
from ..otlp.model import DataPoint, Event, Span
from .attributes import AttributesSeen, presence_of, words

#: Facts that only who looks at every item, and at whole sessions, can tell.
OF_EACH_ITEM = frozenset(
    {
        *("parents", "status", "links", "exemplars", "start_time", "observed_time", "in_a_span"),
        "drops_attributes",
    }
)

#: Stands for the parent of a span that has none.
ROOT = "(root)"


class _Owner:
    """One metric, event or span name: its attributes, and its other facts."""

    def __init__(self) -> None:
        self.attributes = AttributesSeen()
        self.facts: defaultdict[str, set[Any]] = defaultdict(set)

    def plain(self) -> dict[str, Any]:
        return {
            **{name: words(values) for name, values in sorted(self.facts.items())},
            "attributes": self.attributes.plain(),
        }


class Stock:
    """What was seen so far, by kind and name."""

    def __init__(self) -> None:
        self._metrics: defaultdict[str, _Owner] = defaultdict(_Owner)
        self._events: defaultdict[str, _Owner] = defaultdict(_Owner)
        self._spans: defaultdict[str, _Owner] = defaultdict(_Owner)
        self._resources: defaultdict[str, AttributesSeen] = defaultdict(AttributesSeen)
        self._scopes: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._sending: defaultdict[str, set[str]] = defaultdict(set)
        #: How many runs each scenario had, and in how many of them each kind and name was.
        self._runs: Counter[str] = Counter()
        self._present: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def add_run(self, run: Run, exports: Sequence[Export], private: frozenset[str]) -> None:
        """Note all that a run sent; ``private`` are texts that only it knows."""
        scenario = run.scenario
        # A parent ends after its children, and may leave in a later request.
        spans = {span.span_id: span.name for export in exports for span in export.spans}
        self._runs[scenario] += 1
        for export in exports:
            self.add(scenario, export, spans, private)
        for key in {key for export in exports for key in _names(export)}:
            self._present[key][scenario] += 1

    def add(
        self, scenario: str, export: Export, spans: Mapping[str, str], private: frozenset[str]
    ) -> None:
        """Note all items of one export; ``spans`` are the names of the run's, by their ids."""
        if export.signal is None:
            return
        self._sending[export.signal].add(scenario)
        for point in export.data_points:
            self._point(scenario, point, private)
        for event in export.events:
            self._event(scenario, event, private)
        for span in export.spans:
            self._span(scenario, span, spans, private)
        for resource, scope in {(item.resource, item.scope) for item in export.items}:
            self._resources[export.signal].add(scenario, resource.attributes, private)
            self._scopes[export.signal].add((scope.name, scope.version))

    def _point(self, scenario: str, point: DataPoint, private: frozenset[str]) -> None:
        owner = self._metrics[point.metric.name]
        metric = point.metric
        owner.facts["unit"].add(metric.unit)
        owner.facts["description"].add(metric.description)
        owner.facts["type"].add(metric.type)
        owner.facts["monotonic"].add(metric.monotonic)
        owner.facts["value"].add("double" if isinstance(point.value, float) else "int")
        owner.facts["start_time"].add("set" if point.start_time_unix_nano else "unset")
        owner.facts["exemplars"].add(bool(point.exemplars))
        owner.attributes.add(scenario, point.attributes, private)
        if scenario not in _OTHER_TEMPORALITY:
            owner.facts["temporality"].add(metric.temporality)

    def _event(self, scenario: str, event: Event, private: frozenset[str]) -> None:
        owner = self._events[event_name(event)]
        owner.facts["event_name"].add(event.event_name)
        owner.facts["body"].add(event.body if isinstance(event.body, str) else "")
        owner.facts["severity"].add(event.severity_number)
        owner.facts["severity_text"].add(event.severity_text)
        if event.trace_id:  # what comes before the first span, or after the last, is in none
            owner.facts["in_a_trace"].add(True)
            owner.facts["in_a_span"].add(bool(event.span_id))
        owner.facts["observed_time"].add("set" if event.observed_time_unix_nano else "unset")
        owner.facts["drops_attributes"].add(bool(event.dropped_attributes_count))
        owner.attributes.add(scenario, event.attributes, private)

    def _span(
        self, scenario: str, span: Span, names: Mapping[str, str], private: frozenset[str]
    ) -> None:
        owner = self._spans[span.name]
        owner.facts["kind"].add(
            SPAN_KINDS[span.kind] if 0 <= span.kind < len(SPAN_KINDS) else str(span.kind)
        )
        parent = names.get(span.parent_span_id)
        if parent is not None or not span.parent_span_id:
            owner.facts["parents"].add(parent or ROOT)
        owner.facts["status"].add(
            STATUS_CODES[span.status_code]
            if 0 <= span.status_code < len(STATUS_CODES)
            else str(span.status_code)
        )
        owner.facts["links"].add(bool(span.links))
        owner.facts["events"] |= {event.name for event in span.events}
        owner.attributes.add(scenario, span.attributes, private)

    def plain(self, version: str) -> dict[str, Any]:
        """Return everything that was seen, by kind."""
        kinds = {"metrics": self._metrics, "events": self._events, "spans": self._spans}
        return {
            "signals": {signal: sorted(names) for signal, names in sorted(self._sending.items())},
            **{
                kind: {
                    name: {**self._presence(kind, name), **owner.plain()}
                    for name, owner in sorted(owners.items())
                }
                for kind, owners in kinds.items()
            },
            "resources": {signal: seen.plain() for signal, seen in sorted(self._resources.items())},
            "scopes": {
                signal: sorted(
                    f"{name} {'(the release)' if scope == version else scope}".strip()
                    for name, scope in scopes
                )
                for signal, scopes in sorted(self._scopes.items())
            },
        }

    def _presence(self, kind: str, name: str) -> dict[str, Any]:
        """Say in which scenarios it is sent, unless the machine's pace decides that."""
        if name in OF_THE_CLOCK or not self._runs:
            return {}
        return {"presence": presence_of(self._runs, self._present[kind, name])}


def _names(export: Export) -> Iterator[tuple[str, str]]:
    for point in export.data_points:
        yield "metrics", point.metric.name
    for event in export.events:
        yield "events", event_name(event)
    for span in export.spans:
        yield "spans", span.name


#: Scenarios that configure another temporality than the default.
_OTHER_TEMPORALITY = frozenset({"cumulative"})
