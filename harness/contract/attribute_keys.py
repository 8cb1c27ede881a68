"""Derive from the schemas which attribute keys the CLI uses, and which are always present.

This is the only source of these names: no list of them is kept by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .catalogue import contract_files
from .files import JsonObject

#: What a schema may select: single metrics and events, and all of them at once.
_METRICS = ("metric", "metrics")
_EVENTS = ("event", "events")


@dataclass(frozen=True, slots=True)
class AttributeKeys:
    """The keys that the CLI uses in its own resource, or in its data points and events.

    ``required`` keys are on every item, ``common`` ones are required of some kind of item,
    ``optional`` ones may be present: with an account, on another machine, when asked for.
    """

    required: frozenset[str]
    common: frozenset[str]
    optional: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.required | self.common | self.optional


@cache
def resource_keys() -> AttributeKeys:
    """Return the keys of the resource: those that its schema requires, and the others."""
    known, required = _known("resources"), _required("resources")
    return AttributeKeys(required, frozenset(), known - required)


@cache
def item_keys() -> AttributeKeys:
    """Return the keys of data points and events.

    Required are the standard attributes of both, unless a promise says that they are absent by
    default. (The schemas do not require them: some can be switched off.)
    """
    known = _known(*_METRICS, *_EVENTS)
    absent = _absent_by_default(*_METRICS, *_EVENTS)
    required = (_known("metrics") & _known("events")) - absent
    common = _required(*_METRICS, *_EVENTS) - required - absent
    return AttributeKeys(required, common, known - required - common)


def own_keys() -> frozenset[str]:
    """Return every key that the CLI may use itself, in resources or items."""
    return resource_keys().all | item_keys().all


def used_keys() -> frozenset[str]:
    """Return the keys that are required of every item or of some kind of item."""
    keys = (resource_keys(), item_keys())
    return frozenset().union(*(group.required | group.common for group in keys))


def metric_names() -> frozenset[str]:
    """Return the names of metrics and of the attributes of data points and resources."""
    names = {str(selects.get("name", "")) for selects, _ in _schemas(*_METRICS)}
    return frozenset(names - {""}) | _known(*_METRICS, "resources")


def _schemas(*kinds: str) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Yield what each schema of these kinds selects, and its schema of the attributes."""
    for _, schema in contract_files():
        selects = schema.get("x-selects", {})
        if selects.get("kind") in kinds:
            yield selects, schema.get("properties", {}).get("attributes", {})


def _known(*kinds: str) -> frozenset[str]:
    return frozenset(
        key for _, attributes in _schemas(*kinds) for key in attributes.get("properties", {})
    )


def _required(*kinds: str) -> frozenset[str]:
    return frozenset(
        key for _, attributes in _schemas(*kinds) for key in attributes.get("required", ())
    )


def _absent_by_default(*kinds: str) -> frozenset[str]:
    """Return the keys that a promise forbids without variables and without an account."""
    return frozenset(
        key
        for _, attributes in _schemas(*kinds)
        for key, schema in attributes.get("properties", {}).items()
        for promise in schema.get("x-requirements", ())
        if promise.get("check") == "absent" and not any(promise.get("given", {}).values())
    )
