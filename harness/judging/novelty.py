"""Tell which failures are new in a release that is newer than those that were measured."""

from __future__ import annotations

from dataclasses import replace

from ..contract.exercised import Exercised
from ..contract.requirement import Requirement
from ..findings import Verdict
from .expectations import Expectations
from .verdicts import Row, fails_the_run


def told_if_new(
    row: Row, requirement: Requirement, expectations: Expectations, measured: Exercised
) -> Row:
    """Return the row, with the news that its failure is new if the newest measured release passes.

    It does if the promise was made for it, its runs exercised the requirement in one of the runs
    that show the failure now, and no deviation of it is listed.
    """
    newest = expectations.newest_measured
    if (
        newest is None
        or row.news
        or row.verdict is not Verdict.FAIL
        or not fails_the_run(row)
        or newest not in requirement.versions
        or row.requirement in expectations.known_then
    ):
        return row
    shown_by = {run for finding in row.findings for run in finding.runs if not run.drawn}
    if not any(
        measured.exercised.measured(row.requirement, run.scenario, run.protocol, newest)
        for run in shown_by
    ):
        return row
    news = f"new in this release: {newest}, the newest release that was measured, keeps the promise"
    return replace(row, news=news)
