"""Say which names of telemetry some document knows, and which are known without one.

A name is that of a metric, an event, a span, a span's event, or an attribute of one of them or of
a resource or scope. The schemas name what requirements speak of, ``documented_names.json`` what
else stands in a document, and ``undocumented_names.json`` what releases were measured to send
although no document names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from ..errors import HarnessError
from .catalogue import contract_files
from .files import read_json, schema_root
from .versions import Version, VersionRange

#: The groups of which an item of a kind is one, besides that of its own name.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "metric": ("items", "metrics"),
    "event": ("items", "events"),
    "span": ("items", "spans"),
    "resource": ("resources",),
    "scope": ("scopes",),
    "span event": (),
}

#: The groups whose attributes the schemas list; every span carries the standard attributes.
_SCHEMA_GROUPS: Mapping[str, str] = {
    "metrics": "items",
    "events": "events",
    "resources": "resources",
}

#: Stands for any attribute, where a document leaves their names to others.
ANY = "*"


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A name: that of an item of ``kind``, or of one of its attributes.

    ``of`` is the item's own name (empty for resources and scopes), ``attribute`` the key (empty
    for the name of the item itself).
    """

    kind: str
    of: str = ""
    attribute: str = ""

    def __str__(self) -> str:
        item = f"{self.kind} {self.of}".strip()
        return f"{item} {self.attribute}".strip() if self.attribute else item


@dataclass(frozen=True, slots=True)
class Known:
    """A name without a document that releases in ``versions`` were measured to send."""

    versions: VersionRange
    evidence: str


@lru_cache(maxsize=10_000)
def is_documented(name: Name) -> bool:
    """Say whether a document, of whatever date, names it."""
    keys = _documented()
    return any(keys.get(group, frozenset()) & {name.attribute, ANY} for group in _groups(name))


def known(name: Name, version: Version) -> Known | None:
    """Return what was measured of a name without a document, if that release may send it."""
    entries = _undocumented()
    for group in _groups(name):
        for entry in entries.get((group, name.attribute), ()):
            if version in entry.versions:
                return entry
    return None


def _groups(name: Name) -> tuple[str, ...]:
    own = f"{name.kind} {name.of}"
    # The name of an item stands with itself only.
    return (*GROUPS[name.kind], own) if name.attribute else (own,)


@cache
def _documented() -> Mapping[str, frozenset[str]]:
    """Return the documented attributes by group or item; an item's own name is the empty key."""
    keys: dict[str, set[str]] = defaultdict(set)
    for _, schema in contract_files():
        selects = schema.get("x-selects", {})
        attributes = schema.get("properties", {}).get("attributes", {}).get("properties", {})
        kind, name = selects.get("kind", ""), selects.get("name", "")
        if kind in ("metric", "event", "span"):
            keys[f"{kind} {name}"] |= {"", *attributes}
        elif kind in _SCHEMA_GROUPS:
            keys[_SCHEMA_GROUPS[kind]] |= set(attributes)
    for entry in read_names("documented_names.json")["names"]:
        keys[entry["of"]] |= {"", *entry.get("attributes", ())}
    return {group: frozenset(members) for group, members in keys.items()}


@cache
def _undocumented() -> Mapping[tuple[str, str], list[Known]]:
    entries: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for entry in read_names("undocumented_names.json")["names"]:
        measured = Known(VersionRange.of(entry), entry["evidence"])
        for key in entry.get("attributes", ("",)):
            entries[entry["of"], key].append(measured)
    return entries


@cache
def read_names(file_name: str) -> dict[str, Any]:
    """Read a file of names, validated against their schema."""
    root = schema_root()
    data = read_json(root / file_name)
    schema = read_json(root / "names.schema.json")
    for error in Draft202012Validator(schema).iter_errors(data):
        raise HarnessError(f"{file_name}: at {error.json_path}: {error.message}")
    return data
