"""Checks of one field of each selected item, judged by the requirement's JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from ...contract.catalogue import Contract
from ...contract.requirement import Requirement
from ...findings import Finding, Judged, NotExercised, Outcome
from ..items.describe import expected, shown
from ..items.item import MISSING, Item
from ..items.view import CaptureView

#: What the small schemas of ``params.where`` evolve from.
_ANY = Draft202012Validator(True)


class FieldChecks:
    """The checks of a field by its schema, for one contract.

    The same value is judged many times over (every data point has the same ``session.id``), so
    validators are kept, and answers are remembered by requirement and value.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        # Each validator evolves from one: making it combines all registries, which takes longer
        # than most validations.
        self._validator_of_all = Draft202012Validator(
            True,
            registry=contract.registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        self._validators: dict[str, Validator] = {}
        self._answers: dict[tuple[str, type, Hashable], bool] = {}

    def valid_if_present(self, requirement: Requirement, view: CaptureView) -> Outcome:
        """Check that the field matches the schema on every selected item that has it."""
        return self._judge_values(requirement, view, lambda value: value)

    def present_and_valid(self, requirement: Requirement, view: CaptureView) -> Outcome:
        """Check that every selected item has the field, and that it matches the schema."""
        items = chosen(requirement, view)
        if not items:
            return nothing_seen(requirement, items, view.select(requirement.selects))
        findings = tuple(
            Finding(self._expected(requirement), shown(value), _spot(item, requirement))
            for item in items
            if (value := item.at(requirement.path)) is MISSING
            or not self._holds(requirement, value)
        )
        return Judged(len(items), findings)

    def json_text(self, requirement: Requirement, view: CaptureView) -> Outcome:
        """Check that the field, where present, is JSON text whose content matches the schema."""
        return self._judge_values(requirement, view, parsed)

    def _judge_values(self, requirement: Requirement, view: CaptureView, read: Any) -> Outcome:
        """Judge the field of every selected item that has it, as ``read`` converts it."""
        having = carrying(requirement, view)
        if not having:
            items = chosen(requirement, view)
            return nothing_seen(requirement, items, view.select(requirement.selects))
        findings = tuple(
            Finding(self._expected(requirement), shown(value), _spot(item, requirement))
            for item, value in having
            if not self._holds(requirement, read(value))
        )
        return Judged(len(having), findings)

    def _expected(self, requirement: Requirement) -> str:
        schema = schema_of(requirement)
        if isinstance(schema, Mapping) and "$ref" in schema:
            resolver = self._contract.registry.resolver()
            schema = resolver.lookup(str(schema["$ref"])).contents
        return expected(schema)

    def _holds(self, requirement: Requirement, value: Any) -> bool:
        plain = isinstance(value, str | int | float)
        told = value if plain else json.dumps(value, default=str)
        key = (requirement.name, type(value), told)
        if key not in self._answers:
            self._answers[key] = self._validator(requirement).is_valid(value)
        return self._answers[key]

    def _validator(self, requirement: Requirement) -> Validator:
        if requirement.name not in self._validators:
            schema = schema_of(requirement)
            self._validators[requirement.name] = self._validator_of_all.evolve(schema=schema)
        return self._validators[requirement.name]


def present(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that every selected item has the field."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(f"{requirement.path[-1]} is present", _keys(item, requirement), item.where)
        for item in items
        if item.at(requirement.path) is MISSING
    )
    return Judged(len(items), findings)


def absent(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that no selected item has the field."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    findings = tuple(
        Finding(f"no {requirement.path[-1]}", shown(item.at(requirement.path)), item.where)
        for item in items
        if item.at(requirement.path) is not MISSING
    )
    return Judged(len(items), findings)


def covers(requirement: Requirement, view: CaptureView) -> Outcome:
    """Check that every value of ``params.values`` is found on at least one selected item."""
    items = chosen(requirement, view)
    if not items:
        return nothing_seen(requirement, items)
    wanted = [str(value) for value in _list(requirement.params["values"])]
    shown_values = {str(item.at(requirement.path)) for item in items}
    findings = tuple(
        Finding(
            f"{requirement.path[-1]} = {value!r} on some {requirement.selects}",
            f"only {', '.join(sorted(shown_values))}",
            f"{view.run.label} · {requirement.selects}",
        )
        for value in wanted
        if value not in shown_values
    )
    return Judged(len(items), findings)


def chosen(requirement: Requirement, view: CaptureView) -> list[Item]:
    """Return the selected items that match ``params.where`` and whose source shows the field."""
    return [
        item
        for item in view.select(requirement.selects)
        if requirement.path not in item.unseen and matches(requirement, item)
    ]


def carrying(requirement: Requirement, view: CaptureView) -> list[tuple[Item, Any]]:
    """Return the chosen items that have the field, each with its value."""
    values = [(item, item.at(requirement.path)) for item in chosen(requirement, view)]
    return [(item, value) for item, value in values if value is not MISSING]


def matches(requirement: Requirement, item: Item) -> bool:
    """Return whether an item matches ``params.where``: a value or a schema for each path."""
    where = requirement.params.get("where", {})
    assert isinstance(where, Mapping)
    return all(_meets(item.at(tuple(path.split("/"))), wanted) for path, wanted in where.items())


def _meets(value: Any, wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        return value is not MISSING and _ANY.evolve(schema=wanted).is_valid(value)
    return bool(value == wanted)


def nothing_seen(
    requirement: Requirement, items: Sequence[Item], all_of_them: Sequence[Item] = ()
) -> NotExercised:
    """Explain why a field check had nothing to look at.

    ``items`` are those that match ``params.where``, among ``all_of_them``.
    """
    where = requirement.params.get("where")
    if not items and requirement.selects.kind == "measured":
        measure = requirement.selects.name
        if all_of_them and where:
            return NotExercised(f"nothing measured as {measure} has {json.dumps(where)}")
        return NotExercised(f"no run gave anything to measure as {measure}")
    if not items:
        narrowed = f" with {json.dumps(where)}" if where else ""
        return NotExercised(f"no {requirement.selects}{narrowed} was exported")
    return NotExercised(f"no {requirement.selects} carried {'.'.join(requirement.path)}")


def is_one_of(value: Any, texts: Collection[str]) -> bool:
    """Whether the value is one of the texts; a list or a map, which no set can hold, is none."""
    return isinstance(value, str) and value in texts


def number(value: Any) -> float | None:
    """Convert a number, or decimal digits, to a float; return None for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def schema_of(requirement: Requirement) -> Mapping[str, Any] | bool:
    """Return ``params.schema`` of the requirement if it has one, else the schema of its field."""
    own = requirement.params.get("schema", requirement.schema)
    assert isinstance(own, Mapping | bool)
    return own


def _spot(item: Item, requirement: Requirement) -> str:
    return " · ".join(filter(None, (item.where, ".".join(requirement.path))))


def _keys(item: Item, requirement: Requirement) -> str:
    holder = item.at(requirement.path[:-1])
    return f"only {', '.join(sorted(holder))}" if isinstance(holder, Mapping) else shown(holder)


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def parsed(value: Any) -> Any:
    """Return the content of a JSON text; of any other value an object that says so."""
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return {"not JSON": shown(value)}
