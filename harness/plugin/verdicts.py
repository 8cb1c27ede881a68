"""Hooks that collect the requirements of a contract and turn verdicts into test outcomes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ..assessment.assessment import Assessment
from ..contract.requirement import Requirement
from ..errors import HarnessError
from ..findings import Verdict
from ..judging.verdicts import Row, fails_the_run
from ..record.jsonl import row_to_plain
from ..report.rerun import rerun
from . import github, otlp, xdist
from .items import NothingRecordedError, RequirementItem, Suite, VerdictItem
from .junit import WAITED_S, JUnitPlugin
from .ledger import ROW, Ledger
from .state import State
from .telling import Listener

#: The names by which all requirements are asked for.
PACKAGES = ("harness.suite", "pytest_cc_otel.suite")

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


def choose(config: pytest.Config, requirements: Sequence[Requirement]) -> Choice | None:
    """Decide whether this session runs the suite, and remove its names from ``config.args``.

    It does if no test paths are given (those of the ini file do not count), or if
    ``harness.suite`` or the names of ``requirements`` are among the arguments.
    """
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
        # Else the header would tell of testpaths that are not collected.
        config.args_source = pytest.Config.ArgsSource.INVOCATION_DIR
        return Choice(None, alone=True)
    ours = {argument for argument in config.args if argument in PACKAGES}
    named = {
        argument
        for argument in config.args
        if "/" not in argument
        and "::" not in argument
        and not (config.invocation_params.dir / argument).exists()
    } - ours
    if named:
        named &= {requirement.name for requirement in requirements}
    if not ours and not named:
        return None
    config.args = [argument for argument in config.args if argument not in ours | named]
    return Choice(None if ours else frozenset(named), alone=not config.args)


class VerdictPlugin:
    """Hooks that collect and report the requirements of one job, in every process."""

    def __init__(self, state: State, choice: Choice) -> None:
        self._state = state
        self._choice = choice
        self._listener: Listener | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def make_assessment(self) -> Assessment:
        """Make the assessment whose verdicts are collected; called when the session starts."""
        raise NotImplementedError

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        otlp.target(config)  # what is wrong with it is told before anything runs
        if self._choice.alone and not config.getoption("junitprefix", None):
            # A node id without a file leaves the class name of a test case empty.
            config.option.junitprefix = "cc-otel"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        config = session.config
        self._assessment = self.make_assessment()
        try:
            _ = self._assessment.expectations
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from None
        self._session = session
        if not xdist.is_worker(config):
            if self._state.shared is not None:
                self._listener = Listener(self._state.shared, self._state.progress)
            ledger = Ledger(self._state, self._assessment)
            config.pluginmanager.register(ledger, "cc-otel-ledger")
            config.pluginmanager.register(JUnitPlugin(ledger.facts), "cc-otel-junit")
            github.register(config, ledger.summed_up, ledger.note)
            otlp.register(config, ledger.record, ledger.note)
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
        if call.excinfo is not None and isinstance(call.excinfo.value, NothingRecordedError):
            report.longrepr = str(call.excinfo.value)
            if not self._tells_first():
                report.outcome = "skipped"
                report.longrepr = ("cc-otel", 0, "another worker tells why nothing is judged")
        if isinstance(item, VerdictItem) and call.when == "setup":
            setattr(report, WAITED_S, item.waited_s)
        if not isinstance(item, VerdictItem) or call.when != "call":
            return report
        if item.row is None:
            item.settle(item.fault(f"a fault in a check: {call.excinfo!r}"))
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
        row: dict[str, Any] | None = getattr(report, ROW, None)
        # pytest-rerunfailures has an outcome of its own for what it runs again.
        if row is None or report.outcome not in ("passed", "failed", "skipped"):
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

    def _tells_first(self) -> bool:
        """Say whether no other process of the session has told why nothing is judged."""
        if self._state.shared is None:
            return True
        try:
            (self._state.shared / "told").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @property
    def chosen(self) -> tuple[Requirement, ...]:
        """The requirements that are to be judged, whether they apply or not."""
        items = [item for item in self._session.items if isinstance(item, RequirementItem)]
        return tuple(item.requirement for item in items)

    def _rerun(self, row: Row) -> str:
        # What has a finding was recorded.
        fuzz = self._assessment.recording.summary.fuzz if row.findings else None
        return rerun(self._state.rerun, row, fuzz)


def _in_words(row: Row) -> str:
    assert not fails_the_run(row)
    if row.verdict is Verdict.FAIL:
        finding = row.findings[0]
        return f"{row.level}: expected {finding.expected}, seen {finding.seen}, at {finding.where}"
    return f"{row.verdict}: {row.reason}"
