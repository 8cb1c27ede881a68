"""Plans: what is left to look at in an item, once an item of the same shape was judged.

The shape of an item is everything about it that takes few values: its name, which attributes it
has and of which types, and the values that decide which requirements speak of it. The first item
of a shape is judged by the ordinary judge; of the others only values that vary are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..contract.catalogue import Contract
from ..contract.requirement import Requirement
from ..findings import Judged
from ..judging.checks.fields import number
from ..judging.checks.session import instant
from ..judging.judge import Judge
from .exact import ItemView
from .predicates import Holds, holds_of
from .rules import BY_ITEM, BY_SHAPE, BY_VALUE

#: Stands for the value of a data point among its attributes.
VALUE = "\0value"

#: So many values of a field are remembered as good; ids and counts have no end.
_MOST_GOOD = 2048

#: Types of values that a view shows otherwise than the message, or that no set can hold.
_UNHASHABLE = frozenset({"arrayValue", "kvlistValue", "bytesValue"})

#: A time as JavaScript writes it, and its length.
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d\.\d{3}Z")
_JAVASCRIPT = 24

#: Says whether an item keeps a requirement, by its values and times; None: nothing to look at.
ItemTest = Callable[[Mapping[str, Any], int, int], bool | None]


class Slot:
    """A field whose values are judged: those that were found good, and the requirements."""

    __slots__ = ("good", "hashable", "key", "tests")

    def __init__(self, key: str, kind: str, tests: list[tuple[Requirement, Holds]]) -> None:
        self.key = key
        self.hashable = kind not in _UNHASHABLE
        self.tests = tests
        self.good: set[Any] = set()

    def failing(self, value: Any) -> list[Requirement]:
        """Return the requirements that a value breaks."""
        broken = [requirement for requirement, holds in self.tests if not holds(value)]
        if not broken and self.hashable and len(self.good) < _MOST_GOOD:
            self.good.add(value)
        return broken


class Plan:
    """What items of one shape are held to, and how many of them there were.

    ``looked_at`` is what one of them adds to each requirement, ``broken`` are those that each of
    them breaks, ``odd`` slots hold values that no set can, ``tests`` look at two values; ``rare``
    says that there are broken or odd ones. ``in_session``: they name their session, and
    ``numbered`` their place in it.
    """

    __slots__ = (
        *("broken", "count", "in_session", "looked_at", "numbered", "odd", "rare", "slots"),
        "tests",
    )

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.in_session = kinds.get("session.id") == "stringValue"
        self.numbered = self.in_session and kinds.get("event.sequence") == "intValue"
        self.rare = False
        self.count = 0
        self.looked_at: dict[str, int] = {}
        self.broken: list[Requirement] = []
        self.slots: list[tuple[str, set[Any], Slot]] = []
        self.odd: list[Slot] = []
        self.tests: list[tuple[Requirement, ItemTest]] = []


class Planner:
    """Makes the plans of one release, by the judgement of the first item of each shape."""

    def __init__(
        self, contract: Contract, judge: Judge, requirements: list[Requirement], version: str
    ) -> None:
        self._judge = judge
        self._requirements = requirements
        self._version = version
        self._contract = contract
        self._holds: dict[str, Holds] = {}
        self._slots: dict[tuple[str, str, tuple[str, ...]], Slot] = {}

    def plan(self, view: ItemView, kinds: Mapping[str, str]) -> Plan:
        """Make the plan of an item; ``kinds`` are the types of its attributes and its value."""
        plan = Plan(kinds)
        by_field: dict[str, list[Requirement]] = {}
        for requirement in self._requirements:
            if requirement.check in BY_ITEM:
                if view.select(requirement.selects):
                    plan.looked_at[requirement.name] = 1
                    plan.tests.append((requirement, _ITEM_TESTS[requirement.check](requirement)))
                continue
            outcome = self._judge.alone(requirement, view)
            if not isinstance(outcome, Judged):
                continue
            plan.looked_at[requirement.name] = outcome.looked_at
            field = _varying(requirement)
            if field in kinds and requirement.check in BY_VALUE:
                by_field.setdefault(field, []).append(requirement)
            elif outcome.findings:
                plan.broken.append(requirement)
        plan.rare = bool(plan.broken)
        for field, requirements in by_field.items():
            slot = self._slot(field, kinds[field], requirements)
            if slot.hashable:
                plan.slots.append((field, slot.good, slot))
            else:
                plan.odd.append(slot)
                plan.rare = True
        return plan

    def _slot(self, field: str, kind: str, requirements: list[Requirement]) -> Slot:
        key = (field, kind, tuple(requirement.name for requirement in requirements))
        if key not in self._slots:
            self._slots[key] = Slot(
                field, kind, [(each, self._holds_of(each)) for each in requirements]
            )
        return self._slots[key]

    def _holds_of(self, requirement: Requirement) -> Holds:
        if requirement.name not in self._holds:
            version = self._version
            self._holds[requirement.name] = (
                (lambda value: bool(value == version))
                if requirement.check == "subject_version"
                else holds_of(requirement, self._contract.registry)
            )
        return self._holds[requirement.name]


def _varying(requirement: Requirement) -> str:
    """Return the field that a requirement is about, if its values may vary within a shape."""
    if requirement.check in BY_SHAPE:
        return ""
    if requirement.path == ("value",):
        return VALUE
    return requirement.path[1] if requirement.path[:1] == ("attributes",) else ""


def _times_ordered(requirement: Requirement) -> ItemTest:
    return lambda values, start, time: 0 < start <= time


def _same_instant(requirement: Requirement) -> ItemTest:
    tolerance_ms = float(str(requirement.params["tolerance_ms"]))
    key = requirement.path[1]
    minutes: dict[str, int] = {}

    def test(values: Mapping[str, Any], start: int, time: int) -> bool | None:
        text: Any = values.get(key)
        found: int | None
        try:
            # Nearly all are written as JavaScript does, and many are of the same minute.
            found = minutes[text[:17]] + int(text[17:19]) * 1000 + int(text[20:23])
            if len(text) != _JAVASCRIPT or text[19] + text[23] != ".Z":
                found = instant(text)
        except (KeyError, TypeError, ValueError):
            found = instant(text)
            if type(text) is str and _WRITTEN.fullmatch(text) and len(minutes) < _MOST_GOOD:
                minute = instant(f"{text[:17]}00.000Z")
                if minute is not None:
                    minutes[text[:17]] = minute
        return None if found is None else abs(found - time // 1_000_000) <= tolerance_ms

    return test


def _cost_in_micros(requirement: Requirement) -> ItemTest:
    key = requirement.path[1]

    def test(values: Mapping[str, Any], start: int, time: int) -> bool | None:
        micros, usd = number(values.get(key)), number(values.get("cost_usd"))
        return None if micros is None or usd is None else abs(micros - usd * 1e6) < 1

    return test


_ITEM_TESTS: Mapping[str, Callable[[Requirement], ItemTest]] = {
    "times_ordered": _times_ordered,
    "same_instant": _same_instant,
    "cost_in_micros": _cost_in_micros,
}
