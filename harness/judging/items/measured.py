"""What a measure is: a function that makes items of a whole run for the schemas to judge.

A measure only measures; the numbers that it is held to stand in the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.capture.capture import Capture
from harness.judging.items.item import Item

Measure = Callable[[Capture], Sequence[Item]]

#: By the name that a selector ``{"kind": "measured", "name": …}`` calls it by.
Measures = Mapping[str, Measure]

NO_MEASURES: Measures = {}


def by_name(*measures: Measure) -> Measures:
    """Key functions by their own names."""
    return {measure.__name__: measure for measure in measures}
