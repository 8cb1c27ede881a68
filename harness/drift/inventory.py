"""Take stock of a recording: what a release sends, without what differs from run to run.

An inventory is plain JSON, as ``schemas/inventory.schema.json`` describes it. It is a pure
function of the captures; two recordings of one release give the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.names import event_name
from harness.capture.run import SubjectFacts
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.contract.requirement import DRAWN
from harness.drift.attributes import AttributesSeen, words
from harness.drift.secrets import secrets_of
from harness.drift.transport import transport_of
from harness.exposition import is_exposed
from harness.judging.items.view import SPAN_KINDS
from harness.otlp.model import DataPoint, Event, Span

#: The version of the file's format.
FORMAT = 1

#: Stands for the scenario of an inventory that was taken of production data.
RECORDED = "recorded"

#: Stands for the parent of a span that has none.
ROOT = "(root)"


def inventory_of(subject: SubjectFacts, captures: Iterable[Capture]) -> dict[str, Any]:
    """Return the inventory of what the subject sent in the runs of these captures.

    Runs with drawn input are left out, and so are those whose telemetry is not whole on purpose.
    """
    whole = [
        capture
        for capture in captures
        if DRAWN not in capture.run.traits and JUDGED_ONLY_BY_NAME not in capture.run.traits
    ]
    sent = [(capture, _sent(capture)) for capture in whole]
    stock = Stock()
    for capture, exports in sent:
        private = _private(capture)
        # A parent ends after its children, and may leave in a later request.
        names = {span.span_id: span.name for export in exports for span in export.spans}
        for export in exports:
            stock.add(capture.run.scenario, export, names, private)
    return {
        "format": FORMAT,
        "subject": {"version": subject.version},
        "scenarios": {
            scenario: words(capture.run.protocol.value for capture in of_it)
            for scenario, of_it in sorted(_by_scenario(whole).items())
        },
        **stock.plain(subject.version),
        "transport": transport_of([pair for pair in sent if pair[1]], subject.version),
        "secrets": secrets_of(whole),
    }


def _sent(capture: Capture) -> list[Export]:
    return [
        export
        for export in capture.exports
        if not is_exposed(export) and export.decode_error is None and not export.rejected
    ]


def _by_scenario(captures: Sequence[Capture]) -> dict[str, list[Capture]]:
    grouped: dict[str, list[Capture]] = defaultdict(list)
    for capture in captures:
        grouped[capture.run.scenario].append(capture)
    return grouped


def _private(capture: Capture) -> frozenset[str]:
    """Return the texts that only this run knows."""
    truth = capture.run.truth
    known = {secret.text for secret in truth.hidden} | set(truth.account.values())
    return frozenset(text for text in known if text)


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
        items: tuple[DataPoint | Event | Span, ...]
        items = (*export.data_points, *export.events, *export.spans)
        for resource, scope in {(item.resource, item.scope) for item in items}:
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
        owner.facts["events"] |= {event.name for event in span.events}
        owner.attributes.add(scenario, span.attributes, private)

    def plain(self, version: str) -> dict[str, Any]:
        """Return everything that was seen, by kind."""
        kinds = {"metrics": self._metrics, "events": self._events, "spans": self._spans}
        return {
            "signals": {signal: sorted(names) for signal, names in sorted(self._sending.items())},
            **{
                kind: {name: owner.plain() for name, owner in sorted(owners.items())}
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


#: Scenarios that configure another temporality than the default.
_OTHER_TEMPORALITY = frozenset({"cumulative"})
