"""Decide whether a run as a whole has failed, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .verdicts import Row, exercised, fails_the_run

NOTHING_EXERCISED = "nothing was exercised"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the run failed, and ``why``: a sentence for a reader, never empty."""

    failed: bool
    why: str


def decision(rows: Sequence[Row], undriven: int = 0, also: str = "") -> Decision:
    """Decide whether a run as a whole has failed, and say why.

    It has if a row fails the run, if no requirement was exercised, or if ``undriven`` says that
    the subject could not be driven through some of its runs. ``also`` is a reason that is not
    about its requirements.
    """
    failing = sum(fails_the_run(row) for row in rows)
    reasons = []
    if not any(exercised(row) for row in rows):
        reasons.append(NOTHING_EXERCISED)
    if failing:
        reasons.append(f"{failing} of {len(rows)} requirements fail the run")
    if undriven:
        reasons.append(
            f"{undriven} run{'s' if undriven > 1 else ''} could not be driven to the end"
        )
    if also:
        reasons.append(also)
    if reasons:
        return Decision(True, "; ".join(reasons))
    return Decision(False, "no MUST is broken, listed deviations aside")
