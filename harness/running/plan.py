"""Plan the runs of a subject: which are made, and which cannot be on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..capture.run import run_label
from ..otlp.model import Protocol
from ..subject import managed
from .scenario import Scenario

#: The progress line names at most so many scenarios; of more, it gives the number.
_MOST_NAMED = 8

#: One run to be made.
PlannedRun = tuple[Scenario, Protocol]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All runs to be made, and those that cannot be.

    ``runs`` are made one by one, ``skipped`` cannot be made on this machine, and ``drawn``
    scenarios stand for runs that are drawn; ``scenarios`` are all others.
    """

    scenarios: tuple[Scenario, ...]
    drawn: tuple[Scenario, ...]
    protocols: tuple[Protocol, ...]
    runs: tuple[PlannedRun, ...]
    skipped: Mapping[str, str]

    def __str__(self) -> str:
        """Summarise the planned runs for the progress line."""
        names = ", ".join(scenario.name for scenario in self.scenarios)
        if len(self.scenarios) > _MOST_NAMED:
            names = f"{len(self.scenarios)} scenarios"
        return f"{len(self.runs)} times over {', '.join(self.protocols)}: {names}"


def planned(
    scenarios: Sequence[Scenario], protocols: Sequence[Protocol], allow_managed: bool
) -> RunPlan:
    """Plan the runs of these scenarios, over those of their protocols that are in ``protocols``."""
    drawn = tuple(scenario for scenario in scenarios if scenario.drawn)
    others = tuple(scenario for scenario in scenarios if not scenario.drawn)
    reasons = {
        scenario.name: why
        for scenario in others
        if (why := _skip_reason(scenario, allow_managed)) is not None
    }
    wanted = [
        (scenario, protocol)
        for scenario in others
        for protocol in scenario.protocols
        if protocol in protocols
    ]
    skipped = {label(run): reasons[run[0].name] for run in wanted if run[0].name in reasons}
    runs = tuple(run for run in wanted if label(run) not in skipped)
    return RunPlan(others, drawn, tuple(protocols), runs, skipped)


def _skip_reason(scenario: Scenario, allow_managed: bool) -> str | None:
    why = managed.skip_reason(allowed=allow_managed) if scenario.managed else None
    return why or (scenario.skip_reason() if scenario.skip_reason else None)


def label(run: PlannedRun) -> str:
    """Return what reports call a run."""
    scenario, protocol = run
    return run_label(scenario.name, protocol)
