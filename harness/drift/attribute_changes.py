"""Compare the attributes of one owner in two inventories."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .attributes import identifies, presence_in
from .difference import Difference, Impact, listed

#: How often an attribute is there, the least first.
_RANKS = {"never": 0, "sometimes": 1, "always": 2}

#: More scenarios than these are counted, not named.
_MOST_NAMED = 4


def attribute_changes(
    owner: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    common: Collection[str],
    *,
    splits: bool,
) -> Iterator[Difference]:
    """Yield what differs between the attributes of one owner, in the scenarios ``common``.

    ``splits``: each value of an attribute is a series of its own.
    """
    pairs = attributes_renamed(old, new)
    for before, after in pairs.items():
        yield Difference(
            f"attribute {before}",
            "renamed",
            before,
            after,
            Impact.BREAKING,
            "what asks for the old name finds nothing",
            (owner,),
        )
    for key in sorted(old.keys() - new.keys() - pairs.keys()):
        yield Difference(
            f"attribute {key}",
            "gone",
            _described(old[key]),
            "",
            Impact.BREAKING,
            "what groups or filters by it finds nothing",
            (owner,),
        )
    for key in sorted(new.keys() - old.keys() - set(pairs.values())):
        yield _new_attribute(owner, key, new[key], splits)
    for key in sorted(old):
        after = pairs.get(key, key)
        if after in new:
            for each in _attribute(f"attribute {after}", old[key], new[after], common):
                yield replace(each, of=(owner,))


def _new_attribute(owner: str, key: str, fact: Mapping[str, Any], splits: bool) -> Difference:
    if identifies(key, fact):
        impact, reason = Impact.PRIVACY, "it may tell who or where somebody is"
    elif splits:
        impact, reason = (
            Impact.BREAKING,
            "each of its values is a series of its own: queries that do not sum over it change",
        )
    else:
        impact, reason = Impact.ADDITIVE, "there was no such attribute"
    return Difference(f"attribute {key}", "new", "", _described(fact), impact, reason, (owner,))


def _attribute(
    subject: str, old: Mapping[str, Any], new: Mapping[str, Any], common: Collection[str]
) -> Iterator[Difference]:
    if old["types"] != new["types"]:
        yield Difference(
            subject,
            "type",
            listed(old["types"]),
            listed(new["types"]),
            Impact.BREAKING,
            "a typed column or a comparison takes one type",
        )
    yield from _values(subject, old, new)
    yield from presence_changes(
        subject, old["presence"], new["presence"], common, "what groups or filters by it loses some"
    )


def presence_changes(
    subject: str, old: Any, new: Any, common: Collection[str], less_reason: str
) -> Iterator[Difference]:
    """Yield where something is there less or more often than before."""
    before, after = (
        {scenario: presence_in(presence, scenario) for scenario in common}
        for presence in (old, new)
    )
    less = sorted(
        scenario for scenario in common if _RANKS[after[scenario]] < _RANKS[before[scenario]]
    )
    more = sorted(
        scenario for scenario in common if _RANKS[after[scenario]] > _RANKS[before[scenario]]
    )
    if less:
        yield Difference(
            subject,
            "presence",
            _states(before, less),
            _states(after, less),
            Impact.BREAKING,
            less_reason,
        )
    if more:
        yield Difference(
            subject,
            "presence",
            _states(before, more),
            _states(after, more),
            Impact.ADDITIVE,
            "more of them have it",
        )


def _values(subject: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = set(old.get("values", ())), set(new.get("values", ()))
    if before and after:
        hidden = {value for value in before if value.startswith("<")}
        gone, come = sorted(before - after), sorted(after - before)
        if hidden - after:
            yield Difference(
                subject,
                "placeholder",
                listed(sorted(hidden)),
                listed(sorted(after)),
                Impact.PRIVACY,
                "what it stood for may come out",
            )
        elif gone:
            yield Difference(
                subject,
                "values",
                listed(gone),
                listed(come),
                Impact.BREAKING,
                "what filters by a value that is gone finds nothing",
            )
        elif come:
            yield Difference(
                subject, "values", "", listed(come), Impact.ADDITIVE, "there are more values"
            )
    elif any(value.startswith("<") for value in before):
        yield Difference(
            subject,
            "placeholder",
            listed(sorted(before)),
            "texts that vary",
            Impact.PRIVACY,
            "what it stood for comes out",
        )
    elif before or after:
        yield _listed_or_not(subject, before, after)
    keys_before, keys_after = set(old.get("keys", ())), set(new.get("keys", ()))
    if keys_before != keys_after:
        lost = keys_before - keys_after
        yield Difference(
            subject,
            "keys",
            listed(sorted(lost)),
            listed(sorted(keys_after - keys_before)),
            Impact.BREAKING if lost else Impact.ADDITIVE,
            "what reads a key that is gone finds nothing" if lost else "it has more keys",
        )


def _listed_or_not(subject: str, before: set[str], after: set[str]) -> Difference:
    """Return the difference of values that are texts on one side, and words on the other."""
    varying = "texts that vary"
    if before:
        reason = "what filters by a word of before may find nothing, and there may be many values"
        return Difference(
            subject, "values", listed(sorted(before)), varying, Impact.BREAKING, reason
        )
    hidden = any(value.startswith("<") for value in after)
    return Difference(
        subject,
        "values",
        varying,
        listed(sorted(after)),
        Impact.BREAKING if hidden else Impact.BEHAVIOURAL,
        "the texts are hidden" if hidden else "there are few values now",
    )


def attributes_renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes that have another name now: of one type, with akin names."""
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    pairs: dict[str, str] = {}
    for key in gone:
        alike = [each for each in come if _is_like(old[key], new[each]) and _akin(key, each)]
        if len(alike) == 1 and alike[0] not in pairs.values():
            pairs[key] = alike[0]
    return pairs


def _is_like(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(old.get(fact) == new.get(fact) for fact in ("types", "values", "keys"))


def _akin(one: str, other: str) -> bool:
    """Say whether two names differ in their separators, or by a part before or after."""
    short, long = sorted((name.replace("_", ".") for name in (one, other)), key=len)
    return (
        short.replace(".", "") == long.replace(".", "")
        or long.endswith(f".{short}")
        or long.startswith(f"{short}.")
    )


def _states(presence: Mapping[str, str], scenarios: Sequence[str]) -> str:
    by_state: dict[str, list[str]] = {}
    for scenario in scenarios:
        by_state.setdefault(presence[scenario], []).append(scenario)
    return "; ".join(f"{state} in {few(names)}" for state, names in sorted(by_state.items()))


def few(names: Sequence[str]) -> str:
    """Return names as a reader lists them, or how many scenarios they are."""
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} scenarios"


def _described(fact: Mapping[str, Any]) -> str:
    values = fact.get("values")
    return f"{listed(fact['types'])}{f': {listed(values)}' if values else ''}"
