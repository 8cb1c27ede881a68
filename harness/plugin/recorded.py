"""Judge captures of production data (``--cc-recording``): an item for each row of each release."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ..assessment.fleet import check, declared
from ..errors import UsageError
from ..findings import Verdict
from ..fleet.summary import Checked
from ..judging.verdicts import Row, fails_the_run
from ..report.fleet import overview
from .items import RequirementFailedError, VerdictItem, failed
from .neighbours import placed_for_allure
from .options import EXPECTATIONS
from .recorded_options import ENV, RECORDING, RecordedOptions
from .state import State
from .verdicts import Choice, VerdictPlugin


class CapturePlugin(VerdictPlugin):
    """Hooks that read the capture once, and collect and report its rows."""

    def __init__(self, state: State, options: RecordedOptions, *, alone: bool) -> None:
        super().__init__(state, Choice(None, alone))
        self._options = options
        self._checked: Checked | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Read the capture: what it holds decides what there is to collect."""
        try:
            environment = declared(self._options.env, ENV)
            self._checked = check(self._options.paths, RECORDING, environment, self._state.own)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and self._choice.alone:
            reporter.showfspath = False

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            assert self._checked is not None
            suite = CaptureSuite.from_parent(
                collector,
                name="cc-otel",
                nodeid="cc-otel",
                checked=self._checked,
                rerun=self._rerun_all(),
            )
            report.result = [*report.result, suite]
        return report

    def _rerun_all(self) -> str:
        words = ["pytest", *(f"{RECORDING}={path}" for path in self._options.paths)]
        words += [f"{ENV}={pair}" for pair in self._options.env]
        if self._options.expectations:
            words.append(f"{EXPECTATIONS}={self._options.expectations}")
        return shlex.join(words)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._checked is not None:
            terminalreporter.section("cc-otel: capture")
            for line in overview(self._checked):
                terminalreporter.write_line(line)


class CaptureSuite(pytest.Collector):
    """The collector of the rows of a capture, and of what could not be judged in it."""

    def __init__(self, *, checked: Checked, rerun: str, **kw: Any) -> None:
        super().__init__(**kw)
        self._checked = checked
        self._command = rerun

    def collect(self) -> Iterator[pytest.Item]:
        yield WholeItem.from_parent(self, name="capture", nodeid="capture", checked=self._checked)
        for release in self._checked.releases:
            for row in release.rows:
                name = f"{release.version}/{row.requirement}"
                yield RowItem.from_parent(
                    self, name=name, nodeid=name, given=row, rerun=self._command
                )


class WholeItem(pytest.Item):
    """The pytest item that fails if not all of a capture could be judged."""

    def __init__(self, *, checked: Checked, **kw: Any) -> None:
        super().__init__(**kw)
        placed_for_allure(self)
        self._checked = checked

    def runtest(self) -> None:
        if self._checked.unjudged:
            pytest.fail(self._checked.unjudged, pytrace=False)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.config.rootpath / self.name, None, "the capture as a whole"


class RowItem(VerdictItem):
    """The pytest item of one row of one release."""

    def __init__(self, *, given: Row, rerun: str, **kw: Any) -> None:
        super().__init__(**kw)
        self._given = given
        self._rerun_all = rerun

    def fault(self, reason: str) -> Row:
        """Return the row of a requirement that could not be judged."""
        return replace(self._given, verdict=Verdict.ERROR, reason=reason)

    def runtest(self) -> None:
        self.settle(self._given)
        if fails_the_run(self._given):
            raise failed(self._given, self._rerun_all)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, RequirementFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.config.rootpath / self.name, None, f"requirement {self.name}"


def register(config: pytest.Config, options: RecordedOptions) -> None:
    """Register the plugin that judges the capture. Raises UsageError for a list that is wrong."""
    alone = config.args_source is not pytest.Config.ArgsSource.ARGS
    if alone:
        config.args = []
        config.args_source = pytest.Config.ArgsSource.INVOCATION_DIR
    state = State(config, (), None, None, options.expectations)
    config.pluginmanager.register(CapturePlugin(state, options, alone=alone), "cc-otel-capture")
