"""What one kind of subject is judged by: its contract, its measures, its runs and its lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ..capture.capture import Capture
from ..contract.applicability import AnyRun
from ..contract.catalogue import Contract, load
from ..contract.exercised import NOTHING_MEASURED, REFERENCE, Exercised, exercised_by, kind_of
from ..contract.versions import Version
from ..judging.checks import canaries, names
from ..judging.checks.names import Undocumented
from ..judging.expectations import Expectations, load_expectations
from ..judging.items.measured import Measures
from ..judging.items.view import CaptureView
from ..judging.judge import CHECKS, ByHand
from ..judging.listing import Listing
from ..mutants.named import Lie
from ..record.header import CLAUDE as CLAUDE_NAME
from ..record.header import CanaryTable
from ..record.latency import Latency
from ..themes import catalogue as themes
from ..themes.free_form.by_hand import by_hand


def _nothing_measured(spec: str) -> Exercised:
    return NOTHING_MEASURED


def _no_runs() -> Sequence[AnyRun]:
    return ()


def _no_lies() -> Mapping[str, Lie]:
    return {}


def _no_latencies(captures: Sequence[Capture]) -> tuple[Latency, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Job:
    """What one kind of subject is judged by.

    ``contract`` loads the promises for a version; ``runs`` are all runs that could be made, and
    ``slow`` the scenarios among them that are made only if asked for, ``once`` those that are made
    over one protocol, whichever the subject takes; ``exercised`` says what a
    subject is known to exercise, ``expectations`` how it is known to deviate, by our list and
    somebody's own, on a day.
    ``scenarios`` are the names of all scenarios that a run of it may have. ``shows_names``: a
    report lists canaries and undocumented names. ``has_releases``: its subjects have a release, by
    whose contract they are judged. ``latencies`` measures how long telemetry took to come out of
    the subject, if it passes through. ``lies`` are the named mutants that its contract speaks of.
    """

    name: str
    contract: Callable[[str], Contract]
    expectations: Callable[[str, Contract, Listing, date], Expectations]
    measures: Measures
    scenarios: frozenset[str]
    runs: Callable[[], Sequence[AnyRun]] = _no_runs
    slow: frozenset[str] = frozenset()
    exercised: Callable[[str], Exercised] = _nothing_measured
    by_hand: ByHand | None = None
    shows_names: bool = False
    has_releases: bool = True
    once: frozenset[str] = frozenset()
    latencies: Callable[[Sequence[Capture]], tuple[Latency, ...]] = _no_latencies
    lies: Callable[[], Mapping[str, Lie]] = _no_lies

    def canary_table(self, captures: Sequence[Capture], contract: Contract) -> CanaryTable:
        """Tabulate where canaries occur in the captures, and whether the contract allows it."""
        if not self.shows_names:
            return CanaryTable()
        applying = list(filter(contract.applies, contract.requirements))
        return CanaryTable(*canaries.table(captures, applying))

    def undocumented_names(self, captures: Sequence[Capture]) -> tuple[Undocumented, ...]:
        """List the names in the captures that no document knows."""
        if not self.shows_names:
            return ()
        return names.listing([CaptureView(capture, self.measures) for capture in captures])


@lru_cache(maxsize=4)  # nobody changes it
def _claude_contract(version: str = "0.0.0") -> Contract:
    return load(Version.parse(version), checks=CHECKS, scenarios=themes.SCENARIOS)


def _claude_expectations(spec: str, contract: Contract, own: Listing, today: date) -> Expectations:
    return load_expectations(
        contract.version,
        names=names_of(contract),
        own=own,
        packaged=kind_of(spec) != REFERENCE,
        today=today,
    )


def names_of(contract: Contract) -> list[str]:
    """Return the names of all requirements of a contract."""
    return [requirement.name for requirement in contract.requirements]


def _claude_exercised(spec: str) -> Exercised:
    return exercised_by(kind_of(spec))


#: The CLI, judged by its documents.
CLAUDE = Job(
    CLAUDE_NAME,
    _claude_contract,
    _claude_expectations,
    themes.MEASURES,
    frozenset(themes.SCENARIOS),
    themes.planned_runs,
    frozenset(name for name, scenario in themes.SCENARIOS.items() if scenario.slow),
    _claude_exercised,
    by_hand,
    shows_names=True,
    lies=themes.lies,
)
