"""Measures: functions that make items of a whole run, for the schemas to judge.

A measure only measures; the limits that it is held to are in the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...capture.capture import Capture
from .item import Item

Measure = Callable[[Capture], Sequence[Item]]

#: By the name that a selector ``{"kind": "measured", "name": …}`` calls it by.
Measures = Mapping[str, Measure]

NO_MEASURES: Measures = {}


def by_name(*measures: Measure) -> Measures:
    """Return the measures by their function names."""
    return {measure.__name__: measure for measure in measures}
