"""The lines of a record that hold a comparison with another release.

One line says between what, then comes one for each difference, those that a list accepts last, and
one for each query that is concerned; it names its differences by their numbers, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..capture.serialization import from_plain, to_plain
from ..drift.accepted import AcceptedDifference, Sorted
from ..drift.comparison import Comparison
from ..drift.difference import Difference
from ..drift.impact import Hit, Query
from ..errors import UsageError
from ..judging.entries import EntryTold


def lines(comparison: Comparison) -> Iterator[Mapping[str, Any]]:
    """Yield the comparison, line by line."""
    found, hits, listed = comparison.differences, comparison.hits, comparison.listed
    yield {
        "kind": "comparison",
        "old": comparison.old,
        "new": comparison.new,
        "by": comparison.by,
        "fail_on": comparison.fail_on,
        "failure": comparison.failure,
        "problem": comparison.problem,
        "left_out": list(comparison.left_out),
        "differences": len(found),
        "queries": None if hits is None else len(hits),
        **({} if listed is None else _listing(listed)),
    }
    for each in found:
        yield {"kind": "difference", **to_plain(each)}
    for taken in listed.accepted if listed else ():
        yield {"kind": "difference", **to_plain(taken.difference), "accepted": taken.reason}
    for hit in hits or ():
        yield {
            "kind": "query",
            **to_plain(hit.query),
            "differences": [found.index(each) for each in hit.differences],
            "never": list(hit.never),
        }


def read(
    heads: Sequence[Mapping[str, Any]],
    differences: Sequence[Mapping[str, Any]],
    queries: Sequence[Mapping[str, Any]],
    where: str,
) -> Comparison | None:
    """Return the comparison that these lines hold; None for a record without one.

    Raises UsageError, which says ``where``, for numbers that do not agree.
    """
    if not heads:
        if differences or queries:
            raise _disagrees(where, "differences or queries without it")
        return None
    (head,) = heads
    found = tuple(_difference(each) for each in differences if "accepted" not in each)
    taken = tuple(
        AcceptedDifference(_difference(each), each["accepted"])
        for each in differences
        if "accepted" in each
    )
    counted = {"differences": len(found), "queries": len(queries)}
    if any(counted[what] != (head[what] or 0) for what in counted):
        raise _disagrees(where, str(counted))
    hits = None if head["queries"] is None else tuple(_hit(each, found, where) for each in queries)
    return Comparison(
        head["old"],
        head["new"],
        head["by"],
        found,
        hits,
        head["fail_on"],
        tuple(head["left_out"]),
        head["problem"],
        _sorted(head, found, taken),
    )


def _listing(listed: Sorted) -> dict[str, Any]:
    entries = [to_plain(entry) for entry in listed.entries]
    return {"listing": {"file": listed.listing, "entries": entries}}


def _sorted(
    head: Mapping[str, Any],
    found: tuple[Difference, ...],
    taken: tuple[AcceptedDifference, ...],
) -> Sorted | None:
    if "listing" not in head:
        return None
    listing = head["listing"]
    entries = tuple(from_plain(EntryTold, dict(each)) for each in listing["entries"])
    return Sorted(found, taken, entries, listing["file"])


def _difference(plain: Mapping[str, Any]) -> Difference:
    own = {name: value for name, value in plain.items() if name != "accepted"}
    return from_plain(Difference, own)


def _hit(plain: Mapping[str, Any], found: Sequence[Difference], where: str) -> Hit:
    if any(number >= len(found) for number in plain["differences"]):
        raise _disagrees(where, f"a query that names difference {max(plain['differences'])}")
    return Hit(
        Query(plain["file"], plain["name"], plain["text"]),
        tuple(found[number] for number in plain["differences"]),
        tuple(plain["never"]),
    )


def _disagrees(where: str, seen: str) -> UsageError:
    return UsageError(where, seen=seen, expected="lines that agree with that of the comparison")
