"""The lines of a record that hold a comparison with another release.

One line says between what, then comes one for each difference, and one for each query that is
concerned; it names its differences by their numbers, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.capture.serialization import from_plain, to_plain
from harness.drift.accepted import NOTHING_LISTED, Listed
from harness.drift.comparison import Comparison
from harness.drift.difference import Difference
from harness.drift.impact import Hit, Query
from harness.errors import UsageError


def lines(comparison: Comparison) -> Iterator[Mapping[str, Any]]:
    """Yield the comparison, line by line."""
    found, hits = comparison.differences, comparison.hits
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
        **({"listed": to_plain(comparison.listed)} if comparison.listed.listing else {}),
    }
    for each in found:
        yield {"kind": "difference", **to_plain(each)}
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
    found = tuple(from_plain(Difference, dict(each)) for each in differences)
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
        from_plain(Listed, head["listed"]) if "listed" in head else NOTHING_LISTED,
    )


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
