"""Recognise what has another name now: two things of which all but the name is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Two things are one if so much of their attributes is the same, and all of their other facts.
_ALIKE = 0.8

#: Facts that hold the name itself, or say little of what a thing is.
_NOT_COMPARED = frozenset({"attributes", "presence", "body", "event_name", "description"})


def renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return the new name of each owner that is gone, where exactly one new one is like it."""
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    pairs: dict[str, str] = {}
    for name in gone:
        alike = [each for each in come if _is_like(old[name], new[each])]
        if len(alike) == 1 and alike[0] not in pairs.values():
            pairs[name] = alike[0]
    return pairs


def _is_like(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    facts = [
        {name: fact for name, fact in each.items() if name not in _NOT_COMPARED}
        for each in (one, other)
    ]
    keys = one["attributes"].keys() | other["attributes"].keys()
    shared = one["attributes"].keys() & other["attributes"].keys()
    own = shared - _COMMON
    return facts[0] == facts[1] and len(shared) >= _ALIKE * len(keys) and bool(own)


#: Attributes that everything has: they do not tell one thing from another.
_COMMON = frozenset(
    {
        "session.id",
        "user.id",
        "terminal.type",
        "app.version",
        "app.entrypoint",
        "organization.id",
        "user.email",
        "user.account_uuid",
        "user.account_id",
        "event.name",
        "event.timestamp",
        "event.sequence",
        "prompt.id",
        "anthropic.provider",
        "anthropic.custom_base_url",
        "span.type",
    }
)
