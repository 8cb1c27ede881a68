"""Collect every scenario, measure and named mutant from the folders of the themes.

A folder of ``harness/themes`` is a theme. Its ``scenarios.py`` has ``SCENARIOS``, its
``measures.py`` ``MEASURES``, its ``facts.py`` ``FACTS``, its ``mutants.py`` ``LIES``, its
``emitted.py`` ``EMITTED`` (:mod:`harness.themes.emitter`); each module is optional.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from ..contract.applicability import needs_run
from ..contract.requirement import Requirement
from ..drift.facts import Facts
from ..errors import HarnessError
from ..judging.items.measured import Measures, by_name
from ..mutants.named import Lie
from ..otlp.model import Protocol
from ..running.scenario import PlannedRun, Scenario
from .folders import modules


def _scenarios() -> Mapping[str, Scenario]:
    scenarios = [scenario for module in modules("scenarios") for scenario in module.SCENARIOS]
    scenarios.sort(key=lambda scenario: -scenario.expected_s)
    by_names = {scenario.name: scenario for scenario in scenarios}
    if len(by_names) < len(scenarios):
        raise HarnessError("two scenarios of harness/themes have the same name")
    return by_names


#: Those that take longest come first: in this order they are started, but for those that wait.
SCENARIOS: Mapping[str, Scenario] = _scenarios()

MEASURES: Measures = by_name(
    *(measure for module in modules("measures") for measure in module.MEASURES)
)

#: What the themes tell of their own sessions, for the inventory of a release.
FACTS: Sequence[Facts] = tuple(facts for module in modules("facts") for facts in module.FACTS)


@cache
def lies() -> Mapping[str, Lie]:
    """Return the named mutants of all themes, by the name that ``schemas/`` uses."""
    return {name: lie for module in modules("mutants") for name, lie in module.LIES.items()}


@cache
def planned_runs() -> tuple[PlannedRun, ...]:
    """Return every run of every scenario."""
    return tuple(run for scenario in SCENARIOS.values() for run in scenario.planned())


def needed(
    requirements: Iterable[Requirement],
    *,
    only: Collection[str] = (),
    slow: bool = False,
    protocols: Collection[Protocol] = tuple(Protocol),
) -> tuple[Scenario, ...]:
    """Return the scenarios that exercise one of ``requirements`` over one of ``protocols``.

    If ``only`` names scenarios, no others are returned; slow ones only if ``slow`` is true.
    """
    asked = list(requirements)
    return tuple(
        scenario
        for scenario in SCENARIOS.values()
        if (slow or not scenario.slow)
        and (not only or scenario.name in only)
        and any(
            needs_run(requirement, run)
            for run in scenario.planned(protocols)
            for requirement in asked
        )
    )
