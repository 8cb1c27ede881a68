"""Resolve a versioned JSON Schema for one CLI version.

Keywords of our own carry the versions, half-open ranges:

``x-since`` / ``x-until`` on a property
    The property belongs to the contract in that range only; outside of it the
    property, and its mention in ``required``, disappear.  At the top of a file they are
    the range of all its promises, as of an event that came with a release.
``x-measured`` beside ``x-since``
    Where the property was measured to begin, before the document that states it; that counts.
``x-versions`` on any schema
    A list of schemas, each with its own ``since`` / ``until``; the one whose
    range holds the version is merged in.  With none, nothing is demanded.

Every other ``x-`` keyword is for the catalogue and is dropped.
"""

from __future__ import annotations

from typing import Any

from .files import JsonObject
from .versions import Version, VersionRange


def property_range(schema: JsonObject) -> VersionRange:
    """Return the versions in which a property belongs to the contract."""
    documented = VersionRange.of({"since": schema.get("x-since"), "until": schema.get("x-until")})
    return documented.measured(schema.get("x-measured"))


def resolve(schema: Any, version: Version) -> Any:
    """Return the plain JSON Schema 2020-12 that is in force for ``version``."""
    if isinstance(schema, list):
        return [resolve(member, version) for member in schema]
    if not isinstance(schema, dict):
        return schema
    resolved = {
        key: resolve(value, version)
        for key, value in schema.items()
        if not key.startswith("x-") and key not in ("properties", "required")
    }
    properties = schema.get("properties", {})
    in_force = {
        name: resolve(value, version)
        for name, value in properties.items()
        if not isinstance(value, dict) or version in property_range(value)
    }
    if in_force:
        resolved["properties"] = in_force
    required = [
        name for name in schema.get("required", ()) if name in in_force or name not in properties
    ]
    if required:
        resolved["required"] = required
    for variant in schema.get("x-versions", ()):
        if version in VersionRange.of(variant):
            plain = {key: value for key, value in variant.items() if key not in ("since", "until")}
            resolved.update(resolve(plain, version))
    return resolved
