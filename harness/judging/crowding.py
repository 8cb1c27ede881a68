"""Withhold verdicts that a crowded machine may be to blame for.

A subject that gets a small part of a core exports late, gives up its last requests and misses
deadlines. That is an error of the machine: the verdict is neither that a promise was broken nor
that it was kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from ..capture.run import CROWDED, Run, run_label
from ..errors import UsageError
from ..findings import Verdict
from .verdicts import Row, fails_the_run

#: The environment variable that sets another bound than :data:`CROWDED`.
VARIABLE = "CC_OTEL_MOST_CROWDED"


def most_crowded() -> float:
    """Return how crowded a machine may be for a verdict of fail, in processes per core.

    Raises :class:`UsageError` if the environment variable is no number above 0.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        number = float(text or CROWDED)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise UsageError(VARIABLE, seen=repr(text), expected="a number of processes per core")
    return number


def withhold(row: Row, runs: Iterable[Run]) -> Row:
    """Return the row, without its verdict if it fails and all its findings are from crowded runs.

    What would fail the run is an error instead, anything else is not exercised.
    """
    if row.verdict is not Verdict.FAIL:
        return row
    most = most_crowded()
    crowding: dict[str, float] = {}
    for run in runs:
        crowding[run.label] = min(run.crowding, crowding.get(run.label, run.crowding))
    found_in = {
        run_label(run.scenario, run.protocol) for finding in row.findings for run in finding.runs
    }
    if not found_in or any(crowding.get(label, 0.0) <= most for label in found_in):
        return row
    label = min(found_in, key=lambda label: (crowding[label], label))
    return replace(
        row,
        verdict=Verdict.ERROR if fails_the_run(row) else Verdict.NOT_EXERCISED,
        reason=(
            f"the machine was too busy to blame the subject: on average {crowding[label]:g} "
            f"processes per core wanted to run in {label} (at most {most:g} for a verdict of "
            "fail); run it again beside less other work"
        ),
    )
