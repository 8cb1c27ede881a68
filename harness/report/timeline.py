"""Lay out what happened in a run as a chart: one lane for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..record.moments import Moment

_LANES = ("model", "tools", "helper", "metrics", "logs", "traces", "unknown")
_NAMES: Mapping[str, str] = {"model": "model's API", "unknown": "not understood"}

#: In pixels: where lanes begin, how long and high they are, how wide a mark is at least.
_LEFT, _LENGTH, _HEIGHT, _LEAST = 110, 870, 20, 3

#: Ticks of the axis, in seconds apart; the first that gives so few is taken.
_APART = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800)
_MOST_TICKS = 12


def chart(moments: Sequence[Moment]) -> dict[str, Any] | None:
    """Return the chart of a run, for the template; None if nothing is known of it."""
    if not moments:
        return None
    first = min(0.0, *(each.at_s for each in moments))
    last = max(each.until_s for each in moments)
    scale = _LENGTH / max(last - first, 0.001)
    used = [lane for lane in _LANES if any(each.lane == lane for each in moments)]
    lanes = [
        {
            "name": _NAMES.get(lane, lane),
            "y": n * _HEIGHT,
            "marks": [_mark(each, first, scale) for each in moments if each.lane == lane],
        }
        for n, lane in enumerate(used)
    ]
    return {
        "height": len(used) * _HEIGHT + 22,
        "lanes": lanes,
        "ticks": list(_ticks(first, last, scale)),
        "told": ", ".join(f"{_NAMES.get(lane, lane)} {_count(moments, lane)}" for lane in used),
    }


def _mark(moment: Moment, first: float, scale: float) -> dict[str, Any]:
    width = max((moment.until_s - moment.at_s) * scale, _LEAST)
    text = f"{moment.at_s:.2f} s: {moment.text}"
    x = _LEFT + (moment.at_s - first) * scale
    return {"x": round(x, 1), "width": round(width, 1), "text": text, "ok": moment.ok}


def _ticks(first: float, last: float, scale: float) -> Iterator[dict[str, Any]]:
    length = last - first
    apart = next((each for each in _APART if length / each <= _MOST_TICKS), length)
    for n in range(_MOST_TICKS + 1):
        if n * apart > length:
            return
        at = first + n * apart if first < 0 else n * apart
        yield {"x": round(_LEFT + (at - first) * scale, 1), "text": f"{at:g} s"}


def _count(moments: Sequence[Moment], lane: str) -> int:
    return sum(each.lane == lane for each in moments)
