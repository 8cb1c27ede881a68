"""Measure what a collector does with what its downstream has refused for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.observed import observed
from ...judging.items.item import Item
from .facets import Keys
from .observed import RETRY_AFTER_S, Passing

_SECOND = 10**9


def sent_again(capture: Capture) -> list[Item]:
    """Return one item for each request that the downstream refused.

    ``answered`` says how. ``unsent`` counts its items that were not sent again, in whatever
    request; ``waited_s`` is the time until the first of them was.
    """
    passing = observed(capture.run, Passing)
    items = []
    for outlet in passing.outlets if passing else ():
        exports = [each for each in capture.exports if each.collector == outlet]
        for number, export in enumerate(exports):
            if export.rejected and export.answered and export.items:
                items.append(_item(capture, outlet, export, exports[number + 1 :]))
    return items


def _item(capture: Capture, outlet: str, export: Export, later: list[Export]) -> Item:
    keys = Keys()
    seen: dict[Hashable, int] = defaultdict(int)
    for other in later:
        for each in other.items if other.signal is export.signal else ():
            seen.setdefault(keys.of(each), other.arrived_unix_nano)
    refused = [keys.of(each) for each in export.items]
    unsent = sum(key not in seen for key in refused)
    again = [seen[key] for key in refused if key in seen]
    waited_s = (min(again) - export.arrived_unix_nano) / _SECOND if again else None
    told = f"{export.answered}, to be sent again after {RETRY_AFTER_S} s"
    if waited_s is None:
        told += ": never sent again"
    else:
        told += f": sent again after {waited_s:.2f} s"
    return Item(
        f"{capture.run.label} -> {outlet} · {len(refused)} items of {export.signal} answered "
        f"with {told}",
        {
            "outlet": outlet,
            "signal": str(export.signal),
            "answered": export.answered,
            "items": len(refused),
            "unsent": unsent,
            **({} if waited_s is None else {"waited_s": waited_s}),
        },
    )
