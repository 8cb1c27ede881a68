"""Which runs a requirement speaks of."""

from __future__ import annotations

from harness.capture.run import Run
from harness.contract.requirement import Requirement


def concerns(requirement: Requirement, run: Run) -> bool:
    """Whether the requirement speaks of this run."""
    if requirement.protocols and run.protocol not in requirement.protocols:
        return False
    return requirement.speaks_of(run.scenario, run.environment, run.traits)
