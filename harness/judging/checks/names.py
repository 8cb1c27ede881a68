"""Check that what is sent has a name that is known, and that what was always sent still is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...contract.applicability import JUDGED_ONLY_BY_NAME
from ...contract.exercised import Exercised
from ...contract.names import Name, is_documented, known
from ...contract.requirement import DRAWN, Requirement, Selector
from ...contract.versions import Version
from ...env_lists import pairs
from ...exposition import PROMETHEUS
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import shown
from ..items.item import Item, Kind
from ..items.view import CaptureView
from .fields import nothing_seen

#: The kinds of named items, by the selector of all of them.
_NAMED = {Kind.METRIC: "metric", Kind.EVENT: "event", Kind.SPAN: "span"}


def documented(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that some document names each selected item, or each of its attributes.

    ``params.names`` says which: ``items`` or ``attributes``. What is listed as sent without a
    document passes; a report lists it all the same.
    """
    items = view.select(requirement.selects)
    if not items:
        return nothing_seen(requirement, [])
    version = Version.parse(view.run.subject.version)
    of_attributes = requirement.params["names"] == "attributes"
    found: dict[Name, tuple[Item, object]] = {}
    for item in items:
        for name, value in undocumented(item, view):
            if bool(name.attribute) == of_attributes and known(name, version) is None:
                found.setdefault(name, (item, value))
    findings = tuple(
        Finding("a name that a document knows", f"{name}{_value(value)}", item.where)
        for name, (item, value) in found.items()
    )
    return Judged(max(len(items), len(findings)), findings)


def _value(value: object) -> str:
    """Render the value of an attribute, for a finding; nothing for the name of an item."""
    return "" if value is None else f" = {shown(value)}"


class SentChecks:
    """The check of what runs of the subject always send, by what was ``measured``."""

    def __init__(self, measured: Exercised) -> None:
        self._sent = measured.sent

    def still_sent(self, requirement: Requirement, view: CaptureView) -> Outcome:
        """Check that each event that such runs always held, by measurement, is there again.

        That covers events that no other requirement speaks of, and those that no document names.
        """
        run = view.run
        version = Version.parse(run.subject.version)
        always = self._sent.names(run.scenario, run.protocol, version)
        if not always:
            return NotExercised("it was not measured which events such a run always sends")
        sent = set(view.capture.event_names)
        if not sent:
            return nothing_seen(requirement, [])
        findings = tuple(
            Finding(
                f"event {name}, sent in {run.scenario} {measured}",
                f"only {', '.join(sorted(sent))}",
                run.label,
            )
            for name, measured in sorted(always.items())
            if name not in sent
        )
        return Judged(len(always), findings)


def every_undocumented(view: CaptureView) -> Iterator[Name]:
    """Yield the names in a run that no document knows, listed or not, each once."""
    selectors = [Selector("metrics"), Selector("events"), Selector("spans"), Selector("resources")]
    selectors += [Selector("scopes", signal) for signal in ("metrics", "logs", "traces")]
    names = {
        name: None
        for selector in selectors
        for item in view.select(selector)
        for name, _ in undocumented(item, view)
    }
    yield from names


def undocumented(item: Item, view: CaptureView) -> Iterator[tuple[Name, object]]:
    """Yield the names that no document knows: of the item, its attributes and a span's events.

    Attributes come with their values. Those that the user chose (``OTEL_RESOURCE_ATTRIBUTES``)
    are nobody's to document, and a scrape writes names by rules of its own.
    """
    if item.view.get("collector") == PROMETHEUS:
        return
    custom = _custom_keys(view)
    kind = _NAMED.get(item.kind, item.kind.value)
    yield from _unknown(Name(kind, _called(item)), item.view.get("attributes", {}), custom)
    for event in item.view["events"] if item.kind is Kind.SPAN else ():
        yield from _unknown(Name("span event", event["name"]), event["attributes"], custom)


def _unknown(
    own: Name, attributes: Mapping[str, object], custom: frozenset[str]
) -> Iterator[tuple[Name, object]]:
    if own.of and not is_documented(own):
        # No document could name its attributes.
        yield own, None
        return
    for key, value in attributes.items():
        name = Name(own.kind, own.of, key)
        if key not in custom and not is_documented(name):
            yield name, value


def _called(item: Item) -> str:
    """Return the name of a data point's metric, of an event or of a span; empty for others."""
    if item.kind is Kind.EVENT:
        return next(iter(item.view["names"]), "(no name)")
    return str(item.view["name"] or "(no name)") if item.kind in _NAMED else ""


def _custom_keys(view: CaptureView) -> frozenset[str]:
    text = view.run.environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return frozenset(member.key for member in pairs.read(text).members)


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A name that no document knows, as a report lists it.

    ``name`` is an attribute, or the name of an item with its kind (``event plugin_idle``); ``of``
    are the items that carried the attribute, ``scenarios`` those of the runs in which it was
    sent. ``since`` is the first release that was measured to send it, by the list; it is empty
    for a name that is not listed.
    """

    name: str
    of: tuple[str, ...]
    scenarios: tuple[str, ...]
    since: str = ""


def listing(views: Sequence[CaptureView]) -> tuple[Undocumented, ...]:
    """List every undocumented name of these runs; those that the list does not know come first.

    Runs whose telemetry is not whole on purpose, and those with drawn input, are left out.
    """
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for view in views:
        if {DRAWN, JUDGED_ONLY_BY_NAME} & set(view.run.traits):
            continue
        version = Version.parse(view.run.subject.version)
        for name in every_undocumented(view):
            entry = known(name, version)
            since = "" if entry is None else str(entry.versions.since)
            item = f"{name.kind} {name.of}".strip()
            of, scenarios = found.setdefault((name.attribute or item, since), (set(), set()))
            of.update([item] if name.attribute else [])
            scenarios.add(view.run.scenario)
    return tuple(
        Undocumented(name, tuple(sorted(of)), tuple(sorted(scenarios)), since)
        for (name, since), (of, scenarios) in sorted(
            found.items(), key=lambda one: (bool(one[0][1]), one[0])
        )
    )
