"""Which runs a requirement speaks of."""

from __future__ import annotations

from harness.capture.run import Run
from harness.contract.requirement import Requirement


def concerns(requirement: Requirement, run: Run) -> bool:
    """Whether the requirement speaks of this run."""
    if requirement.scenarios and run.scenario not in requirement.scenarios:
        return False
    if requirement.protocols and run.protocol not in requirement.protocols:
        return False
    return requirement.holds_given(run.environment, run.traits)
