"""Compare two inventories, and class each difference by whom it may hurt.

Both were taken by the same scenarios, as far as both releases ran them; what only one of them
was asked to do is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..capture.names import OF_THE_CLOCK
from .attribute_changes import attribute_changes, presence_changes
from .attributes import presence_in
from .difference import Difference, Impact, listed, merged
from .fact_changes import fact_changes, gate_changes
from .other_sessions import is_of_other_sessions, softened
from .renames import renamed
from .stock import OF_EACH_ITEM

#: The kinds of named things, and what one of them is called.
KINDS: Mapping[str, str] = {"metrics": "metric", "events": "event", "spans": "span"}

#: Facts of a metric, an event or a span by which queries find or add up what it sends.
_BREAKING: Mapping[str, str] = {
    "unit": "the unit is part of the name in Prometheus, and of what a number means",
    "type": "sums, gauges and histograms are queried in different ways",
    "temporality": "deltas and totals are added up in different ways",
    "monotonic": "only what never falls may be queried as a counter",
    "event_name": "queries find an event by it",
    "body": "queries find an event by it",
    "severity": "queries and alerts filter by it",
    "severity_text": "queries and alerts filter by it",
}


#: What short sessions may send or not, whatever the release.
_PACE = (Impact.INFORMATIONAL, "whether a session gets as far is up to its pace")
_BY_PACE = dict.fromkeys(OF_THE_CLOCK, _PACE)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return what differs between two inventories, the worst first."""
    common = old["scenarios"].keys() & new["scenarios"].keys()
    every = common | (old["partial"].keys() & new["partial"].keys())
    found = [
        *_named(old, new, common),
        *_resources(old, new, common),
        *_signals(old, new, common),
        *_scopes(old["scopes"], new["scopes"]),
        *_transport(old["transport"], new["transport"]),
        *_secrets(old["secrets"], new["secrets"]),
        *gate_changes(old, new),
        *_facts(old, new, every),
    ]
    if is_of_other_sessions(old, new):
        return merged(softened(found, old, new))
    return merged(found)


def _facts(old: Mapping[str, Any], new: Mapping[str, Any], every: set[str]) -> Iterator[Difference]:
    raced = old["scenarios"].keys() == new["scenarios"].keys()
    for each in fact_changes(old["facts"], new["facts"], every, raced=raced):
        # How much is counted by what one side alone has is told by its being new, or gone.
        if not each.of or any(_has(old, owner) and _has(new, owner) for owner in each.of):
            yield each


def _has(side: Mapping[str, Any], owner: str) -> bool:
    word, _, name = owner.partition(" ")
    return name in side[f"{word}s"]


def _named(
    old: Mapping[str, Any], new: Mapping[str, Any], common: set[str]
) -> Iterator[Difference]:
    for kind, word in KINDS.items():
        pairs = renamed(old[kind], new[kind])
        for before, after in pairs.items():
            yield Difference(
                f"{word} {before}",
                "renamed",
                before,
                after,
                Impact.BREAKING,
                "what asks for the old name finds nothing",
            )
        for name in sorted(old[kind].keys() - new[kind].keys() - pairs.keys()):
            gone = Impact.BREAKING, f"no such {word} is sent"
            yield Difference(f"{word} {name}", "gone", name, "", *_BY_PACE.get(name, gone))
        for name in sorted(new[kind].keys() - old[kind].keys() - set(pairs.values())):
            come = Impact.ADDITIVE, f"no such {word} was sent"
            yield Difference(f"{word} {name}", "new", "", name, *_BY_PACE.get(name, come))
        for name in sorted(old[kind]):
            after = pairs.get(name, name)
            if after in new[kind]:
                yield from _owner(word, after, old[kind][name], new[kind][after], common)


def _owner(
    word: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any], common: set[str]
) -> Iterator[Difference]:
    if "presence" in old and "presence" in new:
        yield from presence_changes(
            f"{word} {name}", old["presence"], new["presence"], common, _LESS_OFTEN
        )
        common = {each for each in common if _is_in(old, each) and _is_in(new, each)}
    for fact in sorted((old.keys() | new.keys()) - {"attributes", "presence"}):
        before, after = old.get(fact, []), new.get(fact, [])
        if fact in OF_EACH_ITEM and not (before and after):
            continue
        if before != after:
            reason = _BREAKING.get(fact)
            yield Difference(
                f"{word} {name}",
                fact.replace("_", " "),
                listed(before),
                listed(after),
                Impact.BREAKING if reason else Impact.INFORMATIONAL,
                reason or "few queries use it",
            )
    yield from attribute_changes(
        f"{word} {name}", old["attributes"], new["attributes"], common, splits=word == "metric"
    )


_LESS_OFTEN = "what counts or shows it gets less in these sessions"


def _is_in(owner: Mapping[str, Any], scenario: str) -> bool:
    return presence_in(owner["presence"], scenario) != "never"


def _resources(
    old: Mapping[str, Any], new: Mapping[str, Any], common: set[str]
) -> Iterator[Difference]:
    for signal in sorted(old["resources"].keys() & new["resources"].keys()):
        yield from attribute_changes(
            f"resource of {signal}",
            old["resources"][signal],
            new["resources"][signal],
            common,
            splits=False,
        )


def _signals(
    old: Mapping[str, Any], new: Mapping[str, Any], common: set[str]
) -> Iterator[Difference]:
    for signal in sorted(old["signals"].keys() | new["signals"].keys()):
        before, after = (set(side["signals"].get(signal, ())) & common for side in (old, new))
        if before - after:
            yield Difference(
                f"signal {signal}",
                "not sent",
                listed(sorted(before - after)),
                "",
                Impact.BREAKING,
                "nothing of it arrives in these scenarios",
            )
        if after - before:
            yield Difference(
                f"signal {signal}",
                "sent",
                "",
                listed(sorted(after - before)),
                Impact.ADDITIVE if before else Impact.BEHAVIOURAL,
                "it was not sent in these scenarios",
            )


def _scopes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for signal in sorted(old.keys() & new.keys()):
        before, after = old[signal], new[signal]
        if before != after:
            yield Difference(
                f"scope of {signal}",
                "changed",
                listed(before),
                listed(after),
                Impact.INFORMATIONAL,
                "the scope is the library's name and version; few queries use it",
            )


def _transport(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for protocol in sorted(old.keys() & new.keys()):
        for fact in sorted(old[protocol].keys() | new[protocol].keys()):
            before, after = old[protocol].get(fact, []), new[protocol].get(fact, [])
            if before != after:
                yield Difference(
                    "requests",
                    fact.replace("_", " "),
                    listed(before),
                    listed(after),
                    Impact.INFORMATIONAL if fact == "user_agent" else Impact.BEHAVIOURAL,
                    "a proxy or a collector in between may treat them differently",
                    (f"over {protocol}",),
                )


def _secrets(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for gates in sorted(old.keys() & new.keys() | ({"closed"} & new.keys())):
        before, after = old.get(gates, {}), new.get(gates, {})
        for kind in sorted(before.keys() | after.keys()):
            places = set(before.get(kind, ())), set(after.get(kind, ()))
            what = f"secret {kind.replace('_', ' ')}"
            switched = (_GATES.get(gates, f"with {gates.replace('+', ' and ')} switched on"),)
            if come := sorted(places[1] - places[0]):
                yield Difference(
                    what,
                    "comes out",
                    "",
                    listed(come),
                    Impact.PRIVACY,
                    "a redaction rule may not know these places",
                    switched,
                )
            if gone := sorted(places[0] - places[1]):
                yield Difference(
                    what,
                    "no longer comes out",
                    listed(gone),
                    "",
                    Impact.BEHAVIOURAL,
                    "it is better hidden, or what was asked for is missing",
                    switched,
                )


_GATES = {"closed": "with nothing switched on"}
