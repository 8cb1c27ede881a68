"""Every scenario that a requirement may name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from harness.contract.requirement import Requirement
from harness.scenarios.collector_failures import COLLECTOR_FAILURES
from harness.scenarios.edits import NEW_FILE, NOTEBOOK_EDIT
from harness.scenarios.endpoints import ENDPOINTS
from harness.scenarios.exporters import EXPORTERS
from harness.scenarios.failures import (
    API_FAILURES,
    API_UNREACHABLE,
    CUT_STREAM,
    RETRIED_EXPORT,
    USAGE_FRAMES,
)
from harness.scenarios.fuzz import FUZZ
from harness.scenarios.headers_helper import HELPERS
from harness.scenarios.identity import CUMULATIVE, FREQUENT, IDENTITIES
from harness.scenarios.intervals import INTERVALS
from harness.scenarios.opt_in import OPT_IN
from harness.scenarios.scenario import Scenario
from harness.scenarios.settings import SETTINGS
from harness.scenarios.terminal_day import TERMINAL_DAY
from harness.scenarios.tls import TLS
from harness.scenarios.toolbox import TOOLBOXES
from harness.scenarios.working_day import WORKING_DAY

#: In the order in which they are started, but for those that wait: what takes longest
#: comes first.
SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *COLLECTOR_FAILURES,
        TERMINAL_DAY,
        API_FAILURES,
        *TOOLBOXES,
        WORKING_DAY,
        CUMULATIVE,
        FREQUENT,
        *HELPERS,
        CUT_STREAM,
        API_UNREACHABLE,
        RETRIED_EXPORT,
        USAGE_FRAMES,
        *IDENTITIES,
        *ENDPOINTS,
        NOTEBOOK_EDIT,
        NEW_FILE,
        *SETTINGS,
        *TLS,
        *EXPORTERS,
        *OPT_IN,
        *INTERVALS,
        FUZZ,
    )
}


def needed(
    requirements: Iterable[Requirement], *, only: Collection[str] = (), slow: bool = False
) -> tuple[Scenario, ...]:
    """The scenarios (of ``only``, if any are named) that exercise one of ``requirements``;
    those that take long only where ``slow`` is said."""
    wanted = tuple(requirements)
    return tuple(
        scenario
        for scenario in SCENARIOS.values()
        if (slow or not scenario.slow)
        and (not only or scenario.name in only)
        and any(map(scenario.concerns, wanted))
    )
