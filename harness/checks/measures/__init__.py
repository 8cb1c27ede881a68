"""What is measured of a whole run, as items for the schemas of ``schemas/behaviour``.

A measure only measures; the numbers that it is held to stand in the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.capture.capture import Capture
from harness.checks.items import Item
from harness.checks.measures.deliveries import deliveries
from harness.checks.measures.session import session

Measure = Callable[[Capture], Sequence[Item]]

#: By the name that a selector ``{"kind": "measured", "name": …}`` calls it by.
MEASURES: Mapping[str, Measure] = {
    "deliveries": deliveries,
    "session": session,
}
