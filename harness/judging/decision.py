"""Whether a run as a whole has failed, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judging.verdicts import Row, exercised, fails_the_run

NOTHING_EXERCISED = "nothing was exercised"


@dataclass(frozen=True, slots=True)
class Decision:
    """``why`` is for a reader, and never empty."""

    failed: bool
    why: str


def decision(rows: Sequence[Row], undriven: int = 0) -> Decision:
    """Decide whether a whole run fails, and say why.

    It does where a row says so, where no row says anything of the subject, and where the subject
    could not be driven through ``undriven`` of its runs.
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
    if reasons:
        return Decision(True, "; ".join(reasons))
    return Decision(False, "no MUST is broken, listed deviations aside")
