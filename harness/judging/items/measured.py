"""Measures: functions that make items of a whole run, for the schemas to judge.

A measure only measures; the limits that it is held to are in the schema.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ...capture.capture import Capture
from .item import Item

Measure = Callable[[Capture], Sequence[Item]]

#: By the name that a selector ``{"kind": "measured", "name": …}`` calls it by.
Measures = Mapping[str, Measure]

NO_MEASURES: Measures = {}


def compared(where: str, key: str, wanted: Counter[str], logged: Counter[str]) -> list[Item]:
    """Return one item for each kind of thing: how many are ``missing``, how many ``extra``.

    ``key`` is what the kind is called by in the item, ``where`` what precedes it in findings.
    """
    return [
        Item(
            f"{where} {kind}",
            {
                key: kind,
                "missing": max(0, wanted[kind] - logged[kind]),
                "extra": max(0, logged[kind] - wanted[kind]),
            },
        )
        for kind in sorted(wanted | logged)
    ]


def integer(value: object) -> int:
    """Return a number, also one that is sent as a text; -1 for anything else."""
    try:
        return int(str(value))
    except ValueError:
        return -1


def by_name(*measures: Measure) -> Measures:
    """Return the measures by their function names."""
    return {measure.__name__: measure for measure in measures}
