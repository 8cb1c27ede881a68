"""Every scenario that a requirement may name."""

from __future__ import annotations

from collections.abc import Mapping

from harness.scenarios.scenario import Scenario
from harness.scenarios.working_day import WORKING_DAY

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in (WORKING_DAY,)}
