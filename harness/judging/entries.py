"""Tell what became of each entry of somebody's own list: seen again, gone, expired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ..contract.versions import Version
from ..findings import Verdict
from .expectations import Expectation, expectations_of
from .listing import Listing, expired
from .verdicts import Row


class EntryState(StrEnum):
    """What became of a listed deviation, in the order in which a reader wants to know."""

    #: It no longer excuses anything.
    EXPIRED = "expired"
    #: It was looked for in its range, and is not there any more.
    GONE = "gone"
    #: It holds for other releases.
    ELSEWHERE = "of other releases"
    #: Nothing was seen that could have shown it.
    UNTOLD = "not put to the test"
    #: It is not accepted, and so the promise was judged.
    HELD = "held to the promise"
    SEEN = "seen again"


@dataclass(frozen=True, slots=True)
class EntryTold:
    """What became of one entry: ``name`` is its requirement or difference, ``why`` a remark."""

    name: str
    state: EntryState
    why: str


def entries_told(
    listing: Listing, version: Version, today: date, rows: Iterable[Row]
) -> list[EntryTold]:
    """Return what became of the entries about requirements, the most interesting states first.

    ``rows`` are the verdicts on a release, ``today`` the day on which they were reached.
    """
    by_name = {row.requirement: row for row in rows}
    told = [
        EntryTold(entry.requirement, state, why)
        for entry in expectations_of(listing)
        for state, why in _state(entry, version, today, by_name.get(entry.requirement))
    ]
    order = list(EntryState)
    return sorted(told, key=lambda each: order.index(each.state))


def _state(
    entry: Expectation, version: Version, today: date, row: Row | None
) -> Iterator[tuple[EntryState, str]]:
    """Yield the one state of an entry, and a remark about it."""
    if expired(entry.expires, today):
        yield EntryState.EXPIRED, f"accepted until {entry.expires}: {entry.reason}"
    elif version not in entry.versions:
        yield EntryState.ELSEWHERE, f"listed {entry.versions}; the subject is {version}"
    elif not entry.accepted:
        yield EntryState.HELD, entry.reason
    elif row is None:
        yield EntryState.UNTOLD, "it was not among what was to be judged"
    elif row.verdict is Verdict.KNOWN:
        yield EntryState.SEEN, entry.reason
    elif row.verdict is Verdict.FIXED or (row.verdict is Verdict.PASS and row.news):
        yield EntryState.GONE, f"take it off the list, or give it an end (until): {entry.reason}"
    elif entry.silent and row.verdict is Verdict.FAIL:
        yield EntryState.GONE, f"something tells of it, and breaks the promise: {entry.reason}"
    else:
        yield EntryState.UNTOLD, row.reason or "the runs that were made need not show it"
