"""Sort the differences that somebody's list accepts from those that it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..contract.versions import Version, VersionRange
from ..judging.entries import EntryState, EntryTold
from ..judging.listing import PROMISE, Listing, expired
from .difference import Difference

_BROKEN = "is now broken"


@dataclass(frozen=True, slots=True)
class AcceptedDifference:
    """A difference that a list accepts, for this reason."""

    difference: Difference
    reason: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """The differences that nobody accepted, those that a list accepts, and what became of it.

    ``listing`` is what the list is called; empty without one.
    """

    unlisted: tuple[Difference, ...]
    accepted: tuple[AcceptedDifference, ...] = ()
    entries: tuple[EntryTold, ...] = ()
    listing: str = ""


def name_of(difference: Difference) -> str:
    """Return the name of a difference, as it is printed and listed."""
    return f"{difference.subject}: {difference.change}"


def sort_out(
    found: Sequence[Difference], listing: Listing, old: Version, new: Version, today: date
) -> Sorted:
    """Sort what differs between two releases by whether ``listing`` accepts it on this day.

    An entry speaks of the step to its first release: it accepts nothing where both releases are
    in its range. One about a requirement accepts that this promise is broken now.
    """
    if not listing.file:
        return Sorted(tuple(found))
    reasons: dict[int, str] = {}
    told = []
    for entry in listing.deviations:
        for name in _names(entry):
            state, why = _out_of_force(entry, old, new, today)
            if state is None:
                met = [n for n, each in enumerate(found) if _meets(entry, name, each)]
                reasons |= {n: entry["reason"] for n in met if n not in reasons}
                state = EntryState.SEEN if met else EntryState.GONE
                why = entry["reason"] if met else f"take it off the list: {entry['reason']}"
            # Of a requirement only its own verdict tells whether it is seen again.
            if name in entry.get("differences", ()):
                told.append(EntryTold(name, state, why))
    order = list(EntryState)
    return Sorted(
        tuple(each for n, each in enumerate(found) if n not in reasons),
        tuple(AcceptedDifference(found[n], reasons[n]) for n in sorted(reasons)),
        tuple(sorted(told, key=lambda each: order.index(each.state))),
        listing.file,
    )


def proposed(
    found: Iterable[Difference], old: Version, new: Version, evidence: str
) -> list[dict[str, Any]]:
    """Return an entry for each difference, which a reviewer has to give its reason.

    ``evidence`` says what was compared, and when.
    """
    return [
        {
            "differences": [name_of(each)],
            **_as_it_is(each),
            **_step(old, new),
            "reason": "",
            "evidence": f"{evidence}: {each.impact}; {_told(each)}; {each.reason}.",
        }
        for each in found
    ]


def _names(entry: Mapping[str, Any]) -> list[str]:
    """Return the differences that an entry is about; a requirement is one of them if broken."""
    broken = []
    if entry.get("accepted", True) and not entry.get("silent", False):
        broken = [f"{PROMISE}{name}: {_BROKEN}" for name in entry.get("requirements", ())]
    return [*entry.get("differences", ()), *broken]


def _out_of_force(
    entry: Mapping[str, Any], old: Version, new: Version, today: date
) -> tuple[EntryState | None, str]:
    """Return the state of an entry that accepts nothing here, and why; None for another one."""
    versions = VersionRange.of(dict(entry))
    if expired(entry.get("expires", ""), today):
        return EntryState.EXPIRED, f"accepted until {entry['expires']}: {entry['reason']}"
    if new not in versions:
        return EntryState.ELSEWHERE, f"listed {versions}; the newer side is {new}"
    if versions.since is not None and old in versions:
        return EntryState.ELSEWHERE, f"listed {versions}; the older side, {old}, has it already"
    return None, ""


def _meets(entry: Mapping[str, Any], name: str, difference: Difference) -> bool:
    if name != name_of(difference):
        return False
    if "of" in entry and not set(difference.of) <= set(entry["of"]):
        return False
    return all(
        entry.get(side, seen) == seen
        for side, seen in (("old", difference.old), ("new", difference.new))
    )


def _as_it_is(difference: Difference) -> dict[str, Any]:
    """Return what narrows an entry to this difference; texts of findings vary, and do not."""
    if difference.subject.startswith(PROMISE):
        return {}
    of = {"of": list(difference.of)} if difference.of else {}
    return {**of, "old": difference.old, "new": difference.new}


def _step(old: Version, new: Version) -> dict[str, str]:
    """Return the range that begins between the two releases."""
    if old == new:
        return {}
    return {"since": str(new)} if old < new else {"since": str(new), "until": str(old)}


def _told(difference: Difference) -> str:
    return " -> ".join(text or "nothing" for text in (difference.old, difference.new))
