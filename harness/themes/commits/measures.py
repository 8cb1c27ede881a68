"""Measure for each form of a commit or pull request how it was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...capture.capture import Capture
from ...capture.observed import observed
from ...capture.run import ToolRun
from ...judging.items.item import Item
from ...otlp.model import DataPoint
from .observed import Made

#: What is counted -> its metric.
METRICS = {
    "commit": "claude_code.commit.count",
    "pull_request": "claude_code.pull_request.count",
}


def credited(capture: Capture) -> list[Item]:
    """Return one item for each form that was used: what it made, and what was counted for it.

    ``off_by`` is how many were counted beyond those that were ``made``, so -1 is one that was not
    counted. A run that exported no metrics has no item.
    """
    made = observed(capture.run, Made)
    if made is None or not capture.data_points():
        return []
    names = [name_of(run) for run in capture.run.truth.tool_runs]
    items = []
    for kind, by_form in (("commit", made.commits), ("pull_request", made.pull_requests)):
        counted = _counted(capture, METRICS[kind])
        items += [
            _item(capture, kind, form, by_form, counted[names.index(form)]) for form in by_form
        ]
    return items


def _item(capture: Capture, kind: str, form: str, made: Mapping[str, int], counted: float) -> Item:
    return Item(
        f"{capture.run.label} · {kind} {form}",
        {"form": form, "kind": kind, "made": made[form], "off_by": round(counted - made[form])},
    )


def _counted(capture: Capture, metric: str) -> list[float]:
    """Return for each tool run of the session how much was counted for it."""
    runs = capture.run.truth.tool_runs
    counted = [0.0] * len(runs)
    for point in capture.data_points(metric):
        counted[run_of(point, runs)] += float(point.value or 0)
    return counted


def run_of(point: DataPoint, runs: Sequence[ToolRun]) -> int:
    """Return the index of the tool run that a data point counts.

    The model thinks for longer than an interval after each of them, so the point's window reaches
    into the time of one only, and begins in it or while the model thought before.
    """
    begun = point.start_time_unix_nano
    return next(
        (number for number, run in enumerate(runs) if run.returned_unix_nano >= begun),
        len(runs) - 1,
    )


def name_of(run: ToolRun) -> str:
    """Return the name of the form that a tool run is."""
    return str(run.input.get("description", run.input.get("text")))


MEASURES = (credited,)
