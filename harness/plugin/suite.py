"""Hooks that collect the packaged suite and turn verdicts into test outcomes."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from harness.assessment.assessment import Assessment, catalogue
from harness.assessment.recording import (
    Recording,
    RecordingPlan,
    record_once,
    record_shared,
)
from harness.contract.requirement import Requirement
from harness.findings import Verdict
from harness.judging.verdicts import Row, broken, fails_the_run
from harness.otlp.model import Protocol
from harness.plugin import fuzz, xdist
from harness.plugin.items import RequirementItem, Suite
from harness.plugin.ledger import ROW, Ledger
from harness.plugin.state import SubjectState
from harness.record.jsonl import row_to_plain
from harness.report.rerun import rerun
from harness.themes.catalogue import SCENARIOS, needed

PACKAGE = "harness.suite"

_LETTERS = {
    Verdict.KNOWN: "k",
    Verdict.NOT_EXERCISED: "-",
    Verdict.NOT_APPLICABLE: "n",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The requirements to collect (``names`` None: all), and whether nothing else is collected."""

    names: frozenset[str] | None
    alone: bool


def choose(config: pytest.Config) -> Choice | None:
    """Decide whether this session runs the suite, and remove its names from ``config.args``.

    It does if no test paths are given (those of the ini file do not count), or if
    ``harness.suite`` or the names of requirements are among the arguments.
    """
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
        # Else the header would tell of testpaths that are not collected.
        config.args_source = pytest.Config.ArgsSource.INVOCATION_DIR
        return Choice(None, alone=True)
    ours = {argument for argument in config.args if argument == PACKAGE}
    named = {
        argument
        for argument in config.args
        if "/" not in argument
        and "::" not in argument
        and not (config.invocation_params.dir / argument).exists()
    } - ours
    if named:
        named &= {requirement.name for requirement in catalogue().requirements}
    if not ours and not named:
        return None
    config.args = [argument for argument in config.args if argument not in ours | named]
    return Choice(None if ours else frozenset(named), alone=not config.args)


class SuitePlugin:
    """Hooks that collect and report the suite, in every process of the session."""

    def __init__(self, state: SubjectState, choice: Choice) -> None:
        self._state = state
        self._choice = choice

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        unknown = [name for name in self._state.options.scenarios if name not in SCENARIOS]
        if unknown:
            raise pytest.UsageError(
                f"--cc-scenarios: expected names among {', '.join(SCENARIOS)}, saw {unknown[0]!r}"
            )
        strange = [name for name in self._state.options.protocols if name not in [*Protocol]]
        if strange:
            raise pytest.UsageError(
                f"--cc-protocols: expected names among {', '.join(Protocol)}, saw {strange[0]!r}"
            )
        slow = [name for name in self._state.options.scenarios if SCENARIOS[name].slow]
        if slow and not self._state.options.slow:
            raise pytest.UsageError(f"--cc-scenarios: expected --cc-slow beside {slow[0]!r}")
        fuzz.register_profiles(config)
        if self._choice.alone and not config.getoption("junitprefix", None):
            # A node id without a file leaves the class name of a test case empty.
            config.option.junitprefix = "cc-otel"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        config, binary = session.config, self._state.binary
        self._assessment = Assessment(binary.spec, binary.version, self._record)
        self._session = session
        if not xdist.is_worker(config):
            config.pluginmanager.register(Ledger(self._state, self._assessment), "cc-otel-ledger")
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._choice.alone:
            # pytest would begin a line for each "file", and here each item has its own.
            reporter.showfspath = False

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        # Beside pytest's own arguments: they are paths, and a path inside a virtual
        # environment below the root folder would not be collected.
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            suite = Suite.from_parent(
                collector,
                name="cc-otel",
                nodeid="cc-otel",
                assessment=self._assessment,
                names=self._choice.names,
                rerun=self._rerun,
            )
            report.result = [*report.result, suite]
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not isinstance(item, RequirementItem) or call.when != "call":
            return report
        if item.row is None:
            item.settle(broken(item.requirement, f"a fault in a check: {call.excinfo!r}"))
            report.user_properties = list(item.user_properties)
        row = item.row
        assert row is not None
        setattr(report, ROW, row_to_plain(row))
        if report.passed and row.verdict is not Verdict.PASS:
            report.outcome = "skipped"
            report.longrepr = ("cc-otel", 0, _in_words(row))
        return report

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        row = getattr(report, ROW, None)
        if row is None:
            return None
        verdict = Verdict(row["verdict"])
        word = verdict.value.upper()
        if report.failed and verdict is not Verdict.FAIL:
            return "failed", "E" if verdict is Verdict.ERROR else "F", (word, {"red": True})
        if report.failed or verdict is Verdict.PASS:
            return None
        if verdict is Verdict.FAIL:
            return "warned", "w", ("WARNED", {"yellow": True})
        return verdict.value, _LETTERS[verdict], (word, {"yellow": verdict is Verdict.KNOWN})

    def _record(self) -> Recording:
        state, options = self._state, self._state.options
        contract = self._assessment.contract
        items = [item for item in self._session.items if isinstance(item, RequirementItem)]
        selected = [item.requirement for item in items if contract.applies(item.requirement)]
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
        everything = len(items) == len(contract.requirements)
        plan = RecordingPlan(
            state.binary,
            chosen,
            options.deadline_s,
            options.captures,
            options.allow_managed_settings,
            explore,
            selected=None if everything else tuple(item.requirement.name for item in items),
            options=options.rerun,
            documents=contract.documents,
            protocols=protocols,
            left_out=self._left_out(selected),
        )
        if state.shared is None:
            return record_once(plan, state.progress)
        return record_shared(plan, state.progress, state.shared)

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

    def _rerun(self, row: Row) -> str:
        # What has a finding was recorded.
        fuzz = self._assessment.recording.summary.fuzz if row.findings else None
        return rerun(self._state.options.rerun, row, fuzz)


def _in_words(row: Row) -> str:
    assert not fails_the_run(row)
    if row.verdict is Verdict.FAIL:
        finding = row.findings[0]
        return f"{row.level}: expected {finding.expected}, seen {finding.seen}, at {finding.where}"
    return f"{row.verdict}: {row.reason}"
