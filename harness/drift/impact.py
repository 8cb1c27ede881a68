"""Tell which of somebody's queries depend on what changed, and which never could match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .attributes import presence_in
from .difference import Difference, Impact
from .facts import Topic
from .promql import uses_of_promql
from .uses import Dictionary, Uses, uses_of_text

_PARTS = {"metric": "metrics", "event": "events", "span": "spans"}


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of somebody's: in which file, under what name, and what it says."""

    file: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One query, the differences that it depends on, and what in it matches nothing."""

    query: Query
    differences: tuple[Difference, ...]
    never: tuple[str, ...] = ()


def hits(
    queries: Iterable[Query],
    found: Sequence[Difference],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> list[Hit]:
    """Return the queries that depend on a difference or never could match, in their order."""
    names = Dictionary((old, new))
    made = []
    for query in queries:
        uses = uses_of_promql(query.text, names) or uses_of_text(query.text, names)
        concerned = tuple(
            each
            for each in found
            if each.impact is not Impact.INFORMATIONAL and _concerns(each, uses)
        )
        never = tuple(_never(uses, old, new))
        if concerned or never:
            made.append(Hit(query, concerned, never))
    return made


def _concerns(difference: Difference, uses: Uses) -> bool:
    kind, _, name = difference.subject.partition(" ")
    if kind in _PARTS:
        return difference.subject in uses.owners
    if kind == Topic.ACCOUNTING:
        return bool(uses.owners & set(difference.of))
    if kind != "attribute":
        return False
    owners = {owner for owner in difference.of if not owner.startswith("resource of ")}
    # A query that names no metric, event or span may be about any.
    about = not uses.owners or bool(owners & uses.owners) or not owners
    if name in uses.labels:
        return about and _values_matter(difference, uses.labels[name])
    splits = difference.change == "new" and {f"metric {each}" for each in uses.wide} & owners
    return bool(splits)


def _values_matter(difference: Difference, compared: frozenset[str]) -> bool:
    """Say whether a change of values touches those that the query compares with."""
    if difference.change != "values" or not compared:
        return True
    return bool(compared & {value.strip() for value in difference.old.split(",")})


def _never(uses: Uses, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(uses.unknown):
        yield f"{name} is sent by neither release"
    bodies = {
        body
        for side in (old, new)
        for each in side["events"].values()
        for body in each.get("body", ())
    }
    for body in sorted(uses.bodies - bodies if bodies else ()):
        yield f"no event's body is {body!r}"
    for key, compared in sorted(uses.labels.items()):
        facts = list(_facts(uses, key, (old, new)))
        if not facts:
            if uses.owners and _told_without(uses, key, (old, new)):
                yield f"{key} is on none of {', '.join(sorted(uses.owners))}"
            continue
        known = [set(fact["values"]) for fact in facts if fact.get("values")]
        if len(known) == len(facts):
            for value in sorted(compared - set().union(*known)):
                yield f"{key} is never {value!r}, but {', '.join(sorted(set().union(*known)))}"


def _facts(uses: Uses, key: str, sides: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for side in sides:
        for kind, names in (
            ("metrics", uses.metrics),
            ("events", uses.events),
            ("spans", uses.spans),
        ):
            for name in names if uses.owners else side[kind]:
                fact = side[kind].get(name, {}).get("attributes", {}).get(key)
                if fact is not None:
                    yield fact


def _told_without(uses: Uses, key: str, sides: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether it is known that what the query selects never has an attribute.

    It is not if a resource has it, or if others have it in no session that shows what the query
    selects: an account, for instance, that no such session had.
    """
    if any(key in facts for side in sides for facts in side["resources"].values()):
        return False
    elsewhere = [
        (scenarios_with(facts["attributes"][key]["presence"], side), side)
        for side in sides
        for kind in _PARTS.values()
        for facts in side[kind].values()
        if key in facts["attributes"] and "presence" in facts
    ]
    return not elsewhere or any(
        having & scenarios_with(side[kind].get(name, {}).get("presence", "never"), side)
        for having, side in elsewhere
        for kind, names in (
            ("metrics", uses.metrics),
            ("events", uses.events),
            ("spans", uses.spans),
        )
        for name in names
    )


def scenarios_with(presence: Any, side: Mapping[str, Any]) -> set[str]:
    """Return the scenarios in which something is always or sometimes there."""
    return {each for each in side["scenarios"] if presence_in(presence, each) != "never"}
