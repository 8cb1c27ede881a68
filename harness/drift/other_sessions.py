"""Class differences between inventories of which one was taken of other people's sessions.

What production data holds depends on what its sessions did and how they were set up, and so does
what our scenarios draw out of a release. A difference that may only come from that is no change
of the release, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .attributes import presence_in
from .difference import Difference, Impact
from .inventory import RECORDED

#: Sessions of ours that switch nothing on: what they send, everybody's sessions send.
PLAIN = ("working_day", "terminal_day")

_NO_OCCASION = (
    "the sessions of the two sides are not the same: it may only be that none of them gave "
    "occasion, or was set up for it"
)
_GATES = "some sessions may have switched on what shows the texts"

#: What may only come from the sessions.
_OF_SESSIONS = frozenset({"gone", "not sent", "values", "keys", "presence"})

_KINDS = {"metric": "metrics", "event": "events", "span": "spans"}


def is_of_other_sessions(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether an inventory was taken of production data."""
    return any(RECORDED in side["scenarios"] for side in (old, new))


def softened(
    found: Iterable[Difference], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Difference]:
    """Yield the differences; what may only come from the sessions is behavioural, and says so.

    Of production data no secrets are known, so that nothing is said of them.
    """
    for each in found:
        if each.subject.startswith("secret "):
            continue
        if each.impact not in (Impact.PRIVACY, Impact.BREAKING):
            yield each
        elif each.change == "placeholder":
            yield replace(each, impact=Impact.BEHAVIOURAL, reason=_GATES)
        elif (
            each.change in _OF_SESSIONS
            or (each.change == "new" and not _in_plain_sessions(each, new))
            or _overlap(each, old, new)
        ):
            yield replace(each, impact=Impact.BEHAVIOURAL, reason=_NO_OCCASION)
        else:
            yield each


def _in_plain_sessions(difference: Difference, new: Mapping[str, Any]) -> bool:
    """Say whether a session of ours that switches nothing on always sends a new attribute."""
    key = difference.subject.removeprefix("attribute ")
    plain = [name for name in PLAIN if name in new["scenarios"]]
    for owner in difference.of:
        attributes = _attributes(owner, new)
        if key in attributes and any(
            presence_in(attributes[key]["presence"], name) == "always" for name in plain
        ):
            return True
    return False


def _attributes(owner: str, side: Mapping[str, Any]) -> Mapping[str, Any]:
    word, _, name = owner.partition(" ")
    if word == "resource":
        found: Mapping[str, Any] = side["resources"].get(name.removeprefix("of "), {})
        return found
    kind = _KINDS.get(word)
    return side[kind].get(name, {}).get("attributes", {}) if kind else {}


def _overlap(difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether the two sides have a fact in common: then each may lack what the other did."""
    word, _, name = difference.subject.partition(" ")
    fact = difference.change.replace(" ", "_")
    if word == "attribute" and fact == "type":
        facts = [
            {kind for owner in difference.of for kind in _types(owner, name, side)}
            for side in (old, new)
        ]
    elif word in _KINDS:
        facts = [set(side[_KINDS[word]].get(name, {}).get(fact, ())) for side in (old, new)]
    else:
        return False
    return bool(facts[0] & facts[1])


def _types(owner: str, key: str, side: Mapping[str, Any]) -> list[str]:
    found: list[str] = _attributes(owner, side).get(key, {}).get("types", [])
    return found
