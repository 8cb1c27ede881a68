"""Lies about commits and pull requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ...capture.capture import Capture
from ...capture.export import Export
from ...capture.run import ToolRun
from ...contract.requirement import Requirement
from ...mutants import editing
from ...mutants.rewriting import copy_message, instead, rewritten
from .measures import METRICS, credited, name_of, run_of

Lie = Callable[[Capture, Requirement], Capture]


def miscounted(capture: Capture, requirement: Requirement) -> Capture:
    """Count one more for the form of the requirement."""
    where = requirement.params["where"]
    assert isinstance(where, Mapping)
    (item,) = [each for each in credited(capture) if each.view["form"] == where["form"]]
    metric = METRICS[str(item.view["kind"])]
    runs = capture.run.truth.tool_runs
    wanted = [name_of(run) for run in runs].index(where["form"])
    made = bool(item.view["made"])
    for export in capture.exports:
        points = [point for point in export.data_points if point.metric.name == metric]
        if points and (not made or run_of(points[0], runs) == wanted):
            edit = _counts_more if made else partial(_counts_as_well, runs[wanted])
            return _edited(capture, export, metric, edit)
    raise ValueError(f"{capture.run.label} counted no {metric}")


def _counts_more(ref: editing.ItemRef) -> None:
    editing.put(ref, ("value",), ref.item.view["value"] + 1.0)


def _counts_as_well(run: ToolRun, ref: editing.ItemRef) -> None:
    """Add a point that was begun and collected while the run lasted."""
    editing.repeat(ref)
    added = ref.siblings[-1]
    added.start_time_unix_nano = run.asked_unix_nano + 1_000
    added.time_unix_nano = run.asked_unix_nano + 2_000


def _edited(
    capture: Capture, export: Export, metric: str, edit: Callable[[editing.ItemRef], None]
) -> Capture:
    """Return ``capture`` with the point of ``metric`` edited in one of its exports."""
    message = copy_message(export)
    assert message is not None
    ref = next(ref for ref in editing.item_refs(message) if ref.item.view["name"] == metric)
    edit(ref)
    return instead(capture, export, rewritten(export, message))


LIES: Mapping[str, Lie] = {miscounted.__name__: miscounted}
