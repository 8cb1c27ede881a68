"""Prove of a run that its kept promises would have failed a liar."""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import monotonic_s
from ..findings import Verdict
from ..judging.power import Power
from ..judging.verdicts import Row
from ..mutants.proof import exempt
from .assessment import Assessment


def power_of(assessment: Assessment, rows: Iterable[Row]) -> Power:
    """Tell the lies about each promise of ``rows`` that was kept, in the run's own captures."""
    began = monotonic_s()
    kept = {row.requirement for row in rows if row.verdict is Verdict.PASS}
    proof = assessment.proof() if kept else None
    lies, exceptions = 0, []
    for requirement in assessment.contract.requirements:
        if proof is None or requirement.name not in kept:
            continue
        told = proof.told(requirement)
        lies += sum(each.verdict is not None for each in told)
        found = exempt(requirement, told)
        if found is not None:
            exceptions.append(found)
    took = monotonic_s() - began
    return Power(len(kept), len(kept) - len(exceptions), lies, round(took, 3), tuple(exceptions))
