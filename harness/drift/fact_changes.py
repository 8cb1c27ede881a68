"""Compare the facts of whole sessions in two inventories, and what gates reveal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .accounting import owners
from .attribute_changes import few
from .difference import Difference, Impact, listed
from .facts import NOTHING, Topic

#: How much a change of such facts matters, and why.
_TOPICS: Mapping[Topic, tuple[Impact, str]] = {
    Topic.ACCOUNTING: (
        Impact.BREAKING,
        "it counts differently: totals from before and after do not compare",
    ),
    Topic.CALLS: (Impact.BEHAVIOURAL, "other requests make other telemetry"),
    Topic.DELIVERY: (Impact.BEHAVIOURAL, "a collector in trouble gets more or less than before"),
    Topic.ENDING: (Impact.BEHAVIOURAL, "who waits for the session sees another end"),
    Topic.INHERITED: (Impact.PRIVACY, "what is meant for collectors gets elsewhere"),
    Topic.INPUT: (Impact.BREAKING, "what is configured arrives in another way"),
    Topic.INTERVAL: (Impact.BEHAVIOURAL, "rates, and alerts about silence, depend on it"),
    Topic.ROUTE: (Impact.BREAKING, "telemetry goes elsewhere, or nowhere"),
    Topic.SAID: (Impact.BEHAVIOURAL, "who reads the output learns something else of telemetry"),
    Topic.TRACE: (Impact.BEHAVIOURAL, "what is joined by traces is joined in another way"),
}

#: Values of these are listed in full: each new one is more.
_SETS = frozenset({Topic.INHERITED, Topic.SAID, Topic.CALLS})


def fact_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], common: Collection[str], *, raced: bool
) -> Iterator[Difference]:
    """Yield what facts tell in one inventory and not in the other, in the scenarios of both.

    ``raced``: what a race brings into one session or another is compared, too, for both sides had
    the same sessions.
    """
    common = {*common, ""} if raced else common
    for topic in Topic:
        before, after = (side.get(topic.value, {}) for side in (old, new))
        for about in sorted(before.keys() | after.keys()):
            values = before.get(about, {}), after.get(about, {})
            yield from _about(topic, about, *values, common)


def _about(
    topic: Topic,
    about: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    common: Collection[str],
) -> Iterator[Difference]:
    before, after = _by_scenario(old, common), _by_scenario(new, common)
    differing = sorted(
        scenario
        for scenario in before.keys() | after.keys()
        if before.get(scenario) != after.get(scenario)
    )
    if topic is Topic.ACCOUNTING and not (before.get("") and after.get("")):
        # What a race brings, and one side did not have at all, was not there to be counted.
        differing = [scenario for scenario in differing if scenario]
    if not differing:
        return
    impact, reason = _TOPICS[topic]
    if topic is Topic.INHERITED and not any(
        after.get(scenario, frozenset()) - before.get(scenario, frozenset()) - {NOTHING}
        for scenario in differing
    ):
        impact, reason = Impact.BEHAVIOURAL, "it is kept better"
    was, now = (_told(side, differing, values=topic in _SETS) for side in (before, after))
    of = owners(about) if topic is Topic.ACCOUNTING else ()
    yield Difference(f"{topic} {about}", "changed", was, now, impact, reason, of)


def _by_scenario(
    values: Mapping[str, Collection[str]], common: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return the values by scenario; those of a race are under the empty name."""
    found: dict[str, set[str]] = {}
    for value, scenarios in values.items():
        for scenario in scenarios or ("",):
            if scenario in common:
                found.setdefault(scenario, set()).add(value)
    return {scenario: frozenset(several) for scenario, several in found.items()}


def _told(side: Mapping[str, frozenset[str]], scenarios: Collection[str], *, values: bool) -> str:
    """Return what is told in these scenarios: each value, with where it is told."""
    where: dict[str, list[str]] = {}
    for scenario in scenarios:
        for value in side.get(scenario, ()):
            where.setdefault(value, []).append(scenario)
    if values:
        return "; ".join(sorted(where))
    return "; ".join(
        f"{value} in {few(names)}" if any(names) else value
        for value, names in sorted(where.items())
    )


def gate_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what needs a gate in one inventory only, and is sent by both."""
    for gate in sorted(old["gates"].keys() & new["gates"].keys()):
        before, after = old["gates"][gate], new["gates"][gate]
        for owner in sorted(before.keys() | after.keys()):
            for mark in sorted(set(before.get(owner, ())) ^ set(after.get(owner, ()))):
                key = mark.partition(": ")[0].partition(" ")[0]
                if not (_has(old, owner, key) and _has(new, owner, key)):
                    continue  # that it is new or gone is told of the attribute
                yield _moved(gate, owner, mark, needs_it=mark in after.get(owner, ()))


def _moved(gate: str, owner: str, mark: str, *, needs_it: bool) -> Difference:
    """Return the difference of what has come behind a gate, or from behind it."""
    what = f"attribute {mark.partition(' ')[0].removesuffix(':')}"
    told = listed([f"{mark} with {gate.replace('+', ' and ')}"])
    if needs_it:
        reason = "without the switch it is not sent any more, or it is hidden"
        return Difference(what, "is gated", "", told, Impact.BREAKING, reason, (owner,))
    reason = "it is sent, or shown, without the switch, or the switch opens less"
    return Difference(what, "is not gated", told, "", Impact.PRIVACY, reason, (owner,))


def _has(side: Mapping[str, Any], owner: str, key: str) -> bool:
    word, _, name = owner.partition(" ")
    return key in side[f"{word}s"].get(name, {}).get("attributes", {})
