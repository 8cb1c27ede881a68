"""Run the suite on a subject: check its options, and record what its requirements need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ..assessment.assessment import Assessment
from ..assessment.recording import Recording, RecordingPlan, record_once, shared
from ..assessment.stopping import Stopping, failing
from ..contract.requirement import Requirement
from ..contract.versions import check_promised
from ..errors import HarnessError
from ..otlp.model import Protocol
from ..themes.catalogue import SCENARIOS, needed
from . import fuzz
from .options import among
from .state import SubjectState
from .verdicts import Choice, VerdictPlugin


class SuitePlugin(VerdictPlugin):
    """Hooks that collect and report the suite, in every process of the session."""

    _state: SubjectState

    def __init__(self, state: SubjectState, choice: Choice) -> None:
        super().__init__(state, choice)

    def make_assessment(self) -> Assessment:
        binary = self._state.binary
        try:
            check_promised(binary.version, f"--cc-binary={binary.spec}")
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from None
        return Assessment(
            binary.spec,
            binary.version,
            self._record,
            own=self._state.own,
            fail_on=self._state.options.fail_impacts,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        among("--cc-scenarios", self._state.options.scenarios, SCENARIOS)
        among("--cc-protocols", self._state.options.protocols, Protocol)
        slow = [name for name in self._state.options.scenarios if SCENARIOS[name].slow]
        if slow and not self._state.options.slow:
            raise pytest.UsageError(f"--cc-scenarios: expected --cc-slow beside {slow[0]!r}")
        fuzz.register_profiles(config)
        super().pytest_configure(config)

    def _record(self) -> Recording:
        state, options = self._state, self._state.options
        contract = self._assessment.contract
        asked = self.chosen
        selected = [requirement for requirement in asked if contract.applies(requirement)]
        protocols = tuple(map(Protocol, options.protocols or Protocol))
        chosen = needed(selected, only=options.scenarios, slow=options.slow, protocols=protocols)
        explore = None
        if any(scenario.drawn for scenario in chosen):
            explore = fuzz.exploration(
                self._session.config,
                options.fuzz_seconds,
                lambda capture: self._assessment.breaks(capture, selected),
                state.progress,
                protocols,
            )
        everything = len(asked) == len(contract.requirements)
        plan = RecordingPlan(
            state.binary,
            chosen,
            options.deadline_s,
            options.captures,
            options.allow_managed_settings,
            explore,
            selected=None if everything else tuple(requirement.name for requirement in asked),
            options=options.rerun,
            documents=contract.documents,
            protocols=protocols,
            left_out=self._left_out(selected),
            own=state.own,
            fail_on=options.fail_impacts,
            enough=self._enough(selected),
        )

        def make(keep: Path | None) -> Recording:
            kept = replace(plan, keep=keep)
            if state.upgrade is not None:
                return state.upgrade.record(kept, state.progress)
            return record_once(kept, state.progress)

        if state.shared is None:
            return make(options.captures)
        return shared(options.captures, make, state.shared)

    def _enough(self, selected: Sequence[Requirement]) -> Stopping | None:
        """Return what ends the recording where pytest is to stop after some failures."""
        most = self._state.config.getoption("maxfail", 0)
        if not most:
            return None
        wanted = failing(selected, self._state.options.fail_impacts)
        return Stopping(most, self._assessment.breaks, wanted)

    def _left_out(self, selected: Sequence[Requirement]) -> Mapping[str, str]:
        """Return the runs that ``--cc-protocols`` leaves out, each with the reason."""
        options = self._state.options
        if not options.protocols:
            return {}
        option = f"--cc-protocols={','.join(options.protocols)}"
        return {
            run.label: f"not run over {run.protocol}: {option}"
            for scenario in needed(selected, only=options.scenarios, slow=options.slow)
            if not scenario.drawn
            for run in scenario.planned()
            if run.protocol not in options.protocols
        }
