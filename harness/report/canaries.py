"""Render the table canary × place × gate: where each canary was found, and whether it may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..judging.checks.canaries import Spot
from ..record.header import CanaryTable
from .line import Line, Style

#: Marks in the table: an allowed sighting, a forbidden one, none.
ALLOWED, FORBIDDEN, UNSEEN = "●", "✗", "·"

_NOWHERE = "nowhere"


def render(table: CanaryTable) -> Iterator[Line]:
    """Render the table as lines; none if no run hid a canary."""
    if not table.spots:
        return
    names = {spot.canary for spot in table.spots}
    yield Line(
        f"canaries ({len(names)} kinds of private text, looked for in every byte of every run: "
        f"{ALLOWED} seen where it may be, {FORBIDDEN} where it must not, {UNSEEN} not seen)"
    )
    rows = [_row(spot, table.gates) for spot in table.spots]
    heads = ("canary", "place", *table.gates)
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    yield Line("  " + _aligned(heads, widths))
    for spot, row in zip(table.spots, rows, strict=True):
        style = Style.PLAIN if all(spot.seen.values()) else Style.CARE
        yield Line("  " + _aligned(row, widths), style)


def _row(spot: Spot, gates: Sequence[str]) -> tuple[str, ...]:
    marks = {True: ALLOWED, False: FORBIDDEN, None: UNSEEN}
    return (
        spot.canary.replace("_", " "),
        spot.place or _NOWHERE,
        *(marks[spot.seen.get(gate)] for gate in gates),
    )


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
