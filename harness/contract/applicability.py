"""Decide which releases and which runs a requirement applies to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from ..otlp.model import Signal
from .requirement import Requirement
from .versions import Version

#: The trait of a run in which only those requirements are judged that name its scenario.
JUDGED_ONLY_BY_NAME = "judged_only_by_name"

#: The trait of a run against a collector of which nothing that comes out is seen.
WITHOUT_OUTLET = "without_outlet"

#: The trait of a run in which a live CLI exports to a collector: what it sends is up to it.
A_LIVE_CLI = "a_live_cli"

#: How the names of scenarios begin in which a live CLI exports to a collector.
LIVE = "live_"

#: The parameter of a requirement that telemetry keeps, or breaks, also where it is not whole.
EVEN_IN_PART = "even_in_part"


class AnyRun(Protocol):
    """What a planned run and a recorded one (:class:`harness.capture.run.Run`) have in common."""

    @property
    def label(self) -> str: ...

    @property
    def scenario(self) -> str: ...

    @property
    def protocol(self) -> str: ...

    @property
    def environment(self) -> Mapping[str, str]: ...

    @property
    def traits(self) -> Collection[str]: ...


def opens(gate: str) -> str:
    """Return the trait of a run whose settings, and not its environment, set ``gate`` to 1."""
    return f"opens_{gate}"


def is_open(gate: str, run: AnyRun) -> bool:
    """Return whether the run sets the variable ``gate`` to 1, in its environment or settings."""
    return run.environment.get(gate) == "1" or opens(gate) in run.traits


def without(signal: Signal) -> str:
    """Return the trait of a run that does not export ``signal``."""
    return f"without_{signal}"


def exports_only(*signals: Signal) -> tuple[str, ...]:
    """Return the traits of a run that exports ``signals`` and no others."""
    return tuple(without(signal) for signal in Signal if signal not in signals)


def applies_to_version(requirement: Requirement, version: Version) -> bool:
    """Return whether the requirement was promised for this release."""
    return version in requirement.versions


def needs_run(requirement: Requirement, run: AnyRun) -> bool:
    """Return whether the run is made for the requirement.

    A run that is judged only by name, or that does not export the requirement's signal, is made
    only for requirements that name its scenario.
    """
    return _applies(requirement, run, even_in_part=False)


def applies_to_run(requirement: Requirement, run: AnyRun) -> bool:
    """Return whether the requirement is judged in this run, if it is made.

    That is so in the runs that it needs, and, if it is about what must never be exported, in
    those that are judged only by name.
    """
    return _applies(requirement, run, even_in_part=bool(requirement.params.get(EVEN_IN_PART)))


def _applies(requirement: Requirement, run: AnyRun, *, even_in_part: bool) -> bool:
    if requirement.protocols and run.protocol not in requirement.protocols:
        return False
    signal = requirement.selects.signal
    if run.scenario not in requirement.scenarios and (
        requirement.scenarios
        or (JUDGED_ONLY_BY_NAME in run.traits and not even_in_part)
        or (signal is not None and without(signal) in run.traits)
    ):
        return False
    return all(
        (key in run.traits) is value
        if isinstance(value, bool)
        else (run.environment.get(key) or None) == value
        for key, value in requirement.given.items()
    )
