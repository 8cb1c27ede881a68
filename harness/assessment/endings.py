"""Say in which runs the subject ended badly, whichever requirements were selected."""

from __future__ import annotations

from collections.abc import Iterable

from ..capture.run import run_label
from ..contract.requirement import Requirement
from ..judging.items.item import Kind
from ..judging.verdicts import Row, fails_the_run
from .assessment import Assessment

#: The measure that the promises about endings select.
_MEASURE = "ending"

#: So many runs are named.
_SHOWN = 3


def ended_badly(assessment: Assessment, rows: Iterable[Row]) -> str:
    """Return a sentence that names the runs that ended badly; empty if none did.

    A recording that was stopped early is one, too: what it leaves open must not pass.

    A subject that crashed is not cleared because somebody selected other promises: those about
    endings are judged here if they are not among ``rows``. The recording must have been made.
    """
    judged = {row.requirement: row for row in rows}
    contract = assessment.contract
    labels = {
        run_label(run.scenario, run.protocol)
        for requirement in filter(about_endings, contract.requirements)
        if contract.applies(requirement)
        and fails_the_run(row := judged.get(requirement.name) or assessment.row(requirement))
        for finding in row.findings
        for run in finding.runs
    }
    ended: dict[str, list[str]] = {}
    for capture in assessment.recording.captures:
        if capture.run.label in labels:
            ended.setdefault(capture.run.ending, []).append(capture.run.label)
    badly = f"the subject ended {' and '.join(map(_told, ended.items()))}" if ended else ""
    return "; ".join(filter(None, (badly, assessment.recording.summary.stopped)))


def about_endings(requirement: Requirement) -> bool:
    """Say whether the requirement is about how the process of a session ended."""
    return requirement.selects.kind == Kind.MEASURED and requirement.selects.name == _MEASURE


def _told(ended: tuple[str, list[str]]) -> str:
    how, labels = ended
    more = len(labels) - _SHOWN
    return f"with {how} in {', '.join(labels[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")
