"""Look at one release: whether a promise is kept, a difference is there, or a command succeeds."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence
from functools import cache

from ..contract.exercised import CLI, exercised_by
from ..contract.requirement import Requirement
from ..contract.versions import Version
from ..drift.compare import differences
from ..drift.promises import STATES
from ..errors import HarnessError, SubjectError, UsageError
from ..running.scenario import Scenario
from ..subject.binary import resolve
from ..themes.catalogue import SCENARIOS, needed
from .assessment import catalogue
from .bisecting import BAD, GOOD, SKIP, Inspect, Look
from .sides import Side, record_side

#: So many sessions tell of a promise: what one protocol hides, another may show.
_ENOUGH = 3

#: The exit code by which a command says that it cannot tell, as ``git bisect run`` has it.
_CANNOT_TELL = 125


def at_promise(
    requirement: Requirement, good: str, by: str, progress: Callable[[str], None]
) -> Inspect:
    """Return what looks at a promise: a release is good if it is as on the release ``good``.

    Every release is judged by the contract of release ``by``, in the sessions that exercise the
    promise.
    """
    scenarios = _telling(requirement, by)

    @cache
    def found_in(version: str) -> tuple[str, str]:
        (row,) = _side(version, scenarios, progress).rows(by, [requirement.name])
        seen = row.findings[0] if row.findings else None
        state = STATES.get(row.verdict, "")
        told = f"{seen.seen} ({seen.where})" if seen and state else row.reason or "as promised"
        return state, told

    def inspect(version: str) -> Look:
        try:
            wanted, (found, told) = found_in(good)[0], found_in(version)
        except (HarnessError, SubjectError) as error:
            return _skipped(version, error)
        if not wanted or not found:
            return Look(version, SKIP, told)
        return Look(version, GOOD if found == wanted else BAD, f"{found}: {told}")

    return inspect


def at_difference(
    subject: str, good: str, scenarios: Sequence[str], progress: Callable[[str], None]
) -> Inspect:
    """Return what looks for a difference from the release ``good``, by what it is about.

    ``subject`` is as ``cc-harness diff`` prints it (``attribute prompt.id``), or a part of it
    before a colon: ``attribute prompt.id: new``.
    """
    chosen = tuple(scenario for scenario in SCENARIOS.values() if scenario.name in scenarios)

    @cache
    def side(version: str) -> Side:
        return _side(version, chosen, progress)

    def inspect(version: str) -> Look:
        try:
            found = differences(side(good).inventory, side(version).inventory)
        except (HarnessError, SubjectError) as error:
            return _skipped(version, error)
        for each in found:
            if subject in (each.subject, f"{each.subject}: {each.change}"):
                told = " -> ".join(filter(None, (each.old, each.new)))
                return Look(version, BAD, f"{each.subject}: {each.change} ({told})")
        return Look(version, GOOD, f"no difference of {subject} from {good}")

    return inspect


def at_command(command: str, progress: Callable[[str], None]) -> Inspect:
    """Return what runs a command for each release: ``{version}`` and ``{binary}`` are filled in.

    Exit code 0 is good, 125 cannot tell, and any other is bad.
    """

    def inspect(version: str) -> Look:
        try:
            binary = resolve(f"npm:{version}", progress=progress)
        except (HarnessError, SubjectError) as error:
            return _skipped(version, error)
        filled = [
            part.replace("{version}", version).replace("{binary}", str(binary.path))
            for part in shlex.split(command)
        ]
        try:
            done = subprocess.run(filled, check=False, capture_output=True, text=True)
        except OSError as error:
            raise UsageError("--run", seen=str(error), expected="a command that runs") from error
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["no output"]
        code = done.returncode
        state = GOOD if code == 0 else SKIP if code == _CANNOT_TELL else BAD
        return Look(version, state, f"exit code {code}: {last[0]}")

    return inspect


def _telling(requirement: Requirement, version: str) -> Sequence[Scenario]:
    """Return a few short sessions that are known to exercise a promise; else all that could."""
    measured = exercised_by(CLI).exercised
    known = [
        scenario
        for scenario in needed([requirement])
        if any(
            measured.measured(requirement.name, run.scenario, run.protocol, Version.parse(version))
            for run in scenario.planned()
        )
    ]
    if not known:
        return needed([requirement])
    known.sort(key=lambda scenario: scenario.waits_s + scenario.expected_s)
    return known[:_ENOUGH]


def requirement_named(name: str, version: str) -> Requirement | None:
    """Return the requirement of that name in the contract of a release, if there is one."""
    contract = catalogue(version)
    for requirement in contract.requirements:
        if requirement.name == name:
            if not contract.applies(requirement):
                raise UsageError(
                    name,
                    seen=f"a promise that holds {requirement.versions}",
                    expected=f"one that holds for the newer release, {version}",
                )
            return requirement
    return None


def _side(version: str, scenarios: Sequence[Scenario], progress: Callable[[str], None]) -> Side:
    return record_side(f"npm:{version}", tuple(scenarios), progress)


def _skipped(version: str, error: Exception) -> Look:
    return Look(version, SKIP, str(error).splitlines()[0])
