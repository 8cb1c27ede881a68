"""Collect every scenario, measure and named mutant for collectors from the folders of the themes.

A folder of ``harness/relay_themes`` is a theme. Its ``scenarios.py`` has ``SCENARIOS``, its
``measures.py`` ``MEASURES``, its ``mutants.py`` ``LIES``; each module is optional.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from .. import relay_themes
from ..contract.applicability import needs_run
from ..contract.requirement import Requirement
from ..folders import modules
from ..judging.items.measured import Measures, by_name
from ..mutants.named import Lie
from ..relay.scenario import RelayRun, RelayScenario

#: The checks that promises of a collector name: its measures say it all.
CHECKS = frozenset({"absent", "present_and_valid", "valid_if_present"})

#: The scenarios by name, in order of their themes.
SCENARIOS: Mapping[str, RelayScenario] = {
    scenario.name: scenario
    for module in modules("scenarios", relay_themes)
    for scenario in module.SCENARIOS
}

MEASURES: Measures = by_name(
    *(measure for module in modules("measures", relay_themes) for measure in module.MEASURES)
)


@cache
def lies() -> Mapping[str, Lie]:
    """Return the named mutants of all themes, by the name that ``schemas/`` uses."""
    return {
        name: lie
        for module in modules("mutants", relay_themes)
        for name, lie in module.LIES.items()
    }


@cache
def planned_runs() -> tuple[RelayRun, ...]:
    """Return every run of every scenario."""
    return tuple(run for scenario in SCENARIOS.values() for run in scenario.planned())


def needed(
    requirements: Iterable[Requirement], among: Iterable[RelayScenario] = SCENARIOS.values()
) -> tuple[RelayScenario, ...]:
    """Return the scenarios that exercise one of ``requirements``."""
    asked = list(requirements)
    return tuple(
        scenario
        for scenario in among
        if any(needs_run(each, run) for run in scenario.planned() for each in asked)
    )
