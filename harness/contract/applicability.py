"""Which releases and which runs a requirement applies to: the one answer to both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from harness.contract.requirement import APART, Requirement
from harness.contract.versions import Version


class AnyRun(Protocol):
    """What is known of a run before it is made, and after: a planned run has it, and a
    :class:`harness.capture.run.Run`."""

    @property
    def scenario(self) -> str: ...

    @property
    def protocol(self) -> str: ...

    @property
    def environment(self) -> Mapping[str, str]: ...

    @property
    def traits(self) -> Collection[str]: ...


def applies_to_version(requirement: Requirement, version: Version) -> bool:
    """Whether the promise was made for this release."""
    return version in requirement.versions


def applies_to_run(requirement: Requirement, run: AnyRun) -> bool:
    """Whether the requirement is judged in this run.

    In a run that is apart, or that does not export the signal, only requirements are
    judged that name its scenario.
    """
    if requirement.protocols and run.protocol not in requirement.protocols:
        return False
    if run.scenario not in requirement.scenarios and (
        requirement.scenarios or APART in run.traits or requirement.selects.silenced_by(run.traits)
    ):
        return False
    return all(
        (key in run.traits) is value
        if isinstance(value, bool)
        else (run.environment.get(key) or None) == value
        for key, value in requirement.given.items()
    )
