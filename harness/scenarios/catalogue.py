"""Every scenario that a requirement may name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from harness.contract.requirement import Requirement
from harness.scenarios.edits import NEW_FILE, NOTEBOOK_EDIT
from harness.scenarios.failures import (
    API_FAILURES,
    API_UNREACHABLE,
    CUT_STREAM,
    RETRIED_EXPORT,
    USAGE_FRAMES,
)
from harness.scenarios.identity import CUMULATIVE, FREQUENT, IDENTITIES
from harness.scenarios.scenario import Scenario
from harness.scenarios.settings import SETTINGS
from harness.scenarios.terminal_day import TERMINAL_DAY
from harness.scenarios.toolbox import TOOLBOXES
from harness.scenarios.working_day import WORKING_DAY

#: In the order in which they are started: what takes longest comes first.
SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        TERMINAL_DAY,
        API_FAILURES,
        *TOOLBOXES,
        WORKING_DAY,
        CUMULATIVE,
        FREQUENT,
        CUT_STREAM,
        API_UNREACHABLE,
        RETRIED_EXPORT,
        USAGE_FRAMES,
        *IDENTITIES,
        NOTEBOOK_EDIT,
        NEW_FILE,
        *SETTINGS,
    )
}


def needed(
    requirements: Iterable[Requirement], *, only: Collection[str] = (), slow: bool = False
) -> tuple[Scenario, ...]:
    """The scenarios (of ``only``, if any are named) that exercise one of ``requirements``;
    those that take long only where ``slow`` is said."""
    checked = [each for each in requirements if each.check is not None]
    return tuple(
        scenario
        for scenario in SCENARIOS.values()
        if (slow or not scenario.slow)
        and (not only or scenario.name in only)
        and any(map(scenario.concerns, checked))
    )
