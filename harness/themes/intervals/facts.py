"""Tell whether each signal is exported as often as is configured, or by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...capture.capture import Capture
from ...drift.facts import Fact, Topic
from ...otlp.model import Signal
from .experiment import DEFAULT_S, EARLY_S, ONE_LATE_S
from .measures import intervals
from .scenarios import SCENARIOS

#: Of sessions that last long enough to bound an interval.
_OURS = frozenset(scenario.name for scenario in SCENARIOS if scenario.waits_s)


def pace(capture: Capture) -> Iterator[Fact]:
    """Yield for each signal whether its requests are as far apart as they should be.

    Bounds are wide on the side to which a busy machine moves things.
    """
    if capture.run.scenario not in _OURS:
        return
    for item in intervals(capture):
        view = item.view
        signal = str(view["signal"])
        yield Fact(Topic.INTERVAL, signal, _class(view, DEFAULT_S[Signal(signal)]))


def _class(view: Mapping[str, Any], default_s: float) -> str:
    if "at_least_s" not in view:
        return "at the end alone"
    if "above_s" in view:
        above, below, word = view["above_s"], view["below_s"], "as configured"
    else:
        above = view["at_least_s"] - default_s
        below = default_s - view["at_most_s"]
        word = f"every {default_s:g} s"
    if below > EARLY_S:
        return "sooner"
    return "later" if above > ONE_LATE_S else word


FACTS = (pace,)
