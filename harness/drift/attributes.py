"""Collect what is known of the attributes of one owner: types, presence, and fixed values.

Values that vary (ids, times, counts, paths, what a person wrote) are left out, so that two
recordings of one release agree.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..otlp.model import Attributes, Value

#: A word as enumerations have them, or a placeholder such as ``<REDACTED>``.
_WORD = re.compile(r"<?[A-Za-z][A-Za-z0-9_.:-]{0,39}>?")
#: More digits than that are an id, a date or a version.
_MOST_DIGITS = 4
_HEX = re.compile(r"[0-9a-f]{8}")

#: An enumeration has no more values than this.
_MOST_VALUES = 24

#: Attributes whose values are those of this machine or this release.
_OF_THE_RUN = frozenset(
    {"terminal.type", "app.version", "service.version", "os.type", "os.version", "host.arch"}
)
#: The values of an id are told apart, and never listed.
_ID = re.compile(r"(^|[._])(id|uuid)$")


#: One state for all scenarios, or by state the scenarios with another than the usual one.
Presence = str | dict[str, Any]


class AttributesSeen:
    """The attributes of all items of one owner (a metric, an event, a span, a resource)."""

    def __init__(self) -> None:
        #: How many items there were in each scenario.
        self._items: Counter[str] = Counter()
        self._present: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._types: defaultdict[str, set[str]] = defaultdict(set)
        self._values: defaultdict[str, set[str]] = defaultdict(set)
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self._varying: set[str] = set(_OF_THE_RUN)  # the keys whose values are not listed

    def add(self, scenario: str, attributes: Attributes, private: Collection[str]) -> None:
        """Note one item's attributes; ``private`` are texts that only this run knows."""
        self._items[scenario] += 1
        for key, value in attributes.items():
            self._present[key][scenario] += 1
            self._types[key].add(type_of(value))
            if key not in self._varying and not _ID.search(key):
                self._note(key, value, private)

    def _note(self, key: str, value: Value, private: Collection[str]) -> None:
        if not isinstance(value, str):
            return
        keys = json_keys(value)
        if keys is not None:
            self._keys[key] |= keys
        elif is_fixed(value) and not any(text in value for text in private):
            self._values[key].add(value)
        elif value:
            self._varying.add(key)
            self._values.pop(key, None)
        if len(self._values.get(key, ())) > _MOST_VALUES:
            self._varying.add(key)
            del self._values[key]

    def plain(self) -> dict[str, Any]:
        """Return the attributes by name, as the inventory lists them."""
        return {
            key: {
                "types": sorted(self._types[key]),
                "presence": self._presence(key),
                **({"values": sorted(self._values[key])} if self._values.get(key) else {}),
                **({"keys": sorted(self._keys[key])} if self._keys.get(key) else {}),
            }
            for key in sorted(self._present)
        }

    def _presence(self, key: str) -> Presence:
        return presence_of(self._items, self._present[key])


def presence_of(of: Mapping[str, int], present: Mapping[str, int]) -> Presence:
    """Say in which scenarios all have it, some have it, and none has it.

    ``of`` counts by scenario how many there were, ``present`` how many had it. What holds in most
    scenarios stands once, under ``else``.
    """
    states: defaultdict[str, list[str]] = defaultdict(list)
    for scenario, number in of.items():
        had = present.get(scenario, 0)
        states["always" if had == number else "sometimes" if had else "never"].append(scenario)
    usual = max(sorted(states), key=lambda state: len(states[state]))
    rest = {state: sorted(names) for state, names in sorted(states.items()) if state != usual}
    return {"else": usual, **rest} if rest else usual


def type_of(value: Value) -> str:
    """Return OTLP's word for the type of a value."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "double"
        case str():
            return "string"
        case bytes():
            return "bytes"
        case None:
            return "empty"
        case Attributes():
            return "kvlist"
    return f"array of {'|'.join(sorted({type_of(member) for member in value}))}"


def is_fixed(text: str) -> bool:
    """Say whether a text looks like a word of an enumeration or a placeholder."""
    return (
        _WORD.fullmatch(text) is not None
        and sum(map(str.isdigit, text)) <= _MOST_DIGITS
        and not _HEX.search(text)
    )


def json_keys(text: str) -> set[str] | None:
    """Return the keys of a text that is a JSON object; None for any other text."""
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return set(value) if isinstance(value, Mapping) else None


def words(values: Iterable[object]) -> list[Any]:
    """Return distinct values, sorted by their text."""
    return sorted(set(values), key=str)


def presence_in(presence: str | Mapping[str, Any], scenario: str) -> str:
    """Return ``always``, ``sometimes`` or ``never``, of an attribute in one scenario."""
    if isinstance(presence, str):
        return presence
    states = (
        state for state in ("always", "sometimes", "never") if scenario in presence.get(state, ())
    )
    return next(states, presence["else"])


#: Parts of names of what tells who somebody is, where they are, or what they wrote.
_IDENTIFYING = re.compile(
    r"(^|[._])(user|email|account|organization|host|machine|device|ip|address|path|cwd|dir|"
    r"workspace|repo|repository|branch|url|prompt|content|command|body|text|input|output|message)"
    r"($|[._])"
)
#: Numbers and ids of those: they tell nothing by themselves.
_HARMLESS = re.compile(r"(tokens|_ms|_bytes|length|count|size|_id|\.id|uuid|sequence)$")


def identifies(key: str, fact: Mapping[str, Any]) -> bool:
    """Say whether an attribute may hold a person's identity, place or words.

    Its name says so, and it is a text that is no word of an enumeration.
    """
    if "string" not in fact["types"] or fact.get("values"):
        return False
    return may_identify(key)


def may_identify(key: str) -> bool:
    """Say whether the name of an attribute says that its text may identify a person."""
    return bool(_IDENTIFYING.search(key)) and not _HARMLESS.search(key)
