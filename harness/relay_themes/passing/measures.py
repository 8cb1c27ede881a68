"""Measure what passed through a collector: how much of it, how well, and as declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...capture.capture import Capture
from ...capture.observed import observed
from ...judging.items.item import Item
from ...otlp.model import Signal
from .comparing import Comparison, Use, comparisons
from .duties import fulfilled
from .facets import KINDS, SELDOM, Kind, Telemetry, has, name_of
from .matching import Bound, Matched, Pair
from .observed import Passing
from .redelivery import sent_again
from .telling import changes_of, first_of

_WORDS = {Signal.METRICS: "metric", Signal.LOGS: "event", Signal.TRACES: "span"}


def passed(capture: Capture) -> list[Item]:
    """Return one item for each name and outlet: how many items there should be, and were.

    ``sent`` were accepted by the collector, ``turned_away`` never, though nothing is declared that
    drops them; ``expected`` are those that are to come out by what
    was declared, ``arrived`` did. ``lost`` were expected and never seen, ``repeated`` seen once
    more than they were sent, ``made_up`` seen and never sent (or declared to be dropped),
    ``refused`` seen although the collector had not accepted them. Metrics whose sums become
    cumulative have no item.
    """
    return [
        Item(
            " · ".join(filter(None, (_where(capture, compared, signal, name), of_name.told()))),
            {
                "outlet": compared.outlet,
                "signal": signal.value,
                "name": name,
                "sent": compared.sent.get((signal, name), 0),
                **of_name.counts(),
            },
        )
        for compared in comparisons(capture)
        for signal, matched in compared.matched.items()
        for name, of_name in _by_name(compared, signal, matched).items()
    ]


def unchanged(capture: Capture) -> list[Item]:
    """Return one item for each name, outlet and kind of change: how many items show it.

    ``compared`` are those that came out, ``changed`` those among them that differ in this. Of
    what few items have, only those that have it are compared.
    """
    items = []
    for compared in comparisons(capture):
        for signal, matched in compared.matched.items():
            for name, of_name in _by_name(compared, signal, matched).items():
                where = _where(capture, compared, signal, name)
                items += [
                    _unchanged(where, compared.outlet, signal, name, kind, of_name.changed, count)
                    for kind in KINDS[signal]
                    if (count := _compared(of_name, kind))
                ]
    return items


def _compared(of_name: _OfName, kind: Kind) -> int:
    """Count the items that came out; of what few have, those that had or have it."""
    if kind not in SELDOM:
        return len(of_name.same) + len(of_name.changed)
    return sum(has(bound.item, kind) for bound in of_name.same) + sum(
        has(pair.expected.item, kind) or has(pair.arrived, kind) for pair in of_name.changed
    )


def _unchanged(
    where: str,
    outlet: str,
    signal: Signal,
    name: str,
    kind: Kind,
    pairs: Sequence[Pair],
    count: int,
) -> Item:
    some = [pair for pair in pairs if any(each.kind is kind for each in pair.differences)]
    told = changes_of(kind, some, count)
    return Item(
        " · ".join(filter(None, (where, told))),
        {
            "outlet": outlet,
            "signal": signal.value,
            "name": name,
            "kind": kind.value,
            "compared": count,
            "changed": len(some),
        },
    )


def kept_apart(capture: Capture) -> list[Item]:
    """Return one item for each signal and outlet: how many items became another session's.

    ``mixed`` counts those of ``compared`` that came out with another ``session.id``, or with a
    resource in which a value is another one.
    """
    items = []
    for compared in comparisons(capture):
        for signal, matched in compared.matched.items():
            count = len(matched.same) + len(matched.changed)
            mixed = [pair for pair in matched.changed if _of_another(pair)]
            if count:
                told = first_of([pair.expected.item for pair in mixed], count, "another's")
                where = f"{capture.run.label} -> {compared.outlet} · {signal}"
                view = {"outlet": compared.outlet, "signal": signal.value}
                items.append(
                    Item(
                        " · ".join(filter(None, (where, told))),
                        {**view, "compared": count, "mixed": len(mixed)},
                    )
                )
    return items


def _of_another(pair: Pair) -> bool:
    return any(
        each.kind is Kind.RESOURCE_CHANGED or each.path == "attributes.session.id"
        for each in pair.differences
    )


def declared_changes(capture: Capture) -> list[Item]:
    """Return one item for each declared change: whether it was made, at any of its outlets.

    ``concerned`` counts the items that it speaks of, ``changed`` those that it makes different,
    ``seen`` those among them that came out so; ``used`` is true if there is one. ``problems`` say
    what of the declaration does not hold.
    """
    passing = observed(capture.run, Passing)
    if passing is None:
        return []
    uses: dict[int, list[Use]] = defaultdict(list)
    for compared in comparisons(capture):
        for number, use in compared.uses.items():
            uses[number].append(use)
    items = []
    for change in passing.changes:
        own = uses[change.number]
        seen = sum(use.seen for use in own)
        items.append(
            Item(
                f"{capture.run.label} · {change} ({change.reason})",
                {
                    "number": change.number,
                    "kind": change.kind,
                    "concerned": sum(use.concerned for use in own),
                    "changed": sum(use.changed for use in own),
                    "seen": seen,
                    "used": seen > 0,
                    "problems": [problem for use in own for problem in use.problems],
                },
            )
        )
    return items


def duties(capture: Capture) -> list[Item]:
    """Return one item for each declared duty: what was looked for, and where it was seen.

    ``looked_for`` counts the texts, ``sent`` the places at which they were sent, ``seen`` those
    at which they came out, in whatever form; ``kept`` counts the items that came out with an
    attribute that must not.
    """
    return [
        Item(
            " · ".join(filter(None, (capture.run.label, str(found.duty), found.told))),
            {
                "kind": "attribute" if found.duty.attribute else "content",
                "what": found.duty.attribute or found.duty.content,
                "looked_for": found.looked_for,
                "sent": found.sent,
                "seen": found.seen,
                "kept": found.kept,
            },
        )
        for found in fulfilled(capture)
    ]


@dataclass(slots=True)
class _OfName:
    """What of a comparison is about items of one name."""

    same: list[Bound] = field(default_factory=list)
    changed: list[Pair] = field(default_factory=list)
    turned_away: list[Telemetry] = field(default_factory=list)
    lost: list[Telemetry] = field(default_factory=list)
    repeated: list[Telemetry] = field(default_factory=list)
    made_up: list[Telemetry] = field(default_factory=list)
    refused: list[Telemetry] = field(default_factory=list)

    def counts(self) -> Mapping[str, Any]:
        return {
            "expected": self._expected,
            "arrived": self._arrived,
            "turned_away": len(self.turned_away),
            "lost": len(self.lost),
            "repeated": len(self.repeated),
            "made_up": len(self.made_up),
            "refused": len(self.refused),
        }

    @property
    def _expected(self) -> int:
        return len(self.same) + len(self.changed) + len(self.lost)

    @property
    def _arrived(self) -> int:
        there = len(self.same) + len(self.changed)
        return there + len(self.repeated) + len(self.made_up) + len(self.refused)

    def told(self) -> str:
        away = len(self.turned_away)
        parts = (
            first_of(self.turned_away, away + self._expected, "never accepted"),
            first_of(self.lost, self._expected, "lost"),
            first_of(self.repeated, self._arrived, "repeated"),
            first_of(self.made_up, self._arrived, "never sent, or declared to be dropped"),
        )
        return "; ".join(filter(None, parts))


def _by_name(compared: Comparison, signal: Signal, matched: Matched) -> Mapping[str, _OfName]:
    """Sort a comparison by the names under which items were sent, in the order of these."""
    names = {
        name: _OfName()
        for each, name in compared.sent
        if each is signal and name not in compared.elsewhere
    }

    def of(name: str) -> _OfName:
        return names.setdefault(name, _OfName())

    for bound, _ in matched.same:
        of(bound.name).same.append(bound)
    for bound in compared.turned_away[signal]:
        of(bound.name).turned_away.append(bound.item)
    for pair in matched.changed:
        of(pair.expected.name).changed.append(pair)
    for bound in matched.lost:
        of(bound.name).lost.append(bound.item)
    for item in matched.repeated:
        of(name_of(item)).repeated.append(item)
    for item in matched.made_up:
        of(name_of(item)).made_up.append(item)
    for item in matched.refused:
        of(name_of(item)).refused.append(item)
    return names


def _where(capture: Capture, compared: Comparison, signal: Signal, name: str) -> str:
    return f"{capture.run.label} -> {compared.outlet} · {_WORDS[signal]} {name}"


MEASURES = (passed, unchanged, kept_apart, sent_again, declared_changes, duties)
