"""Gathers the rows of a session, in the process that reports them."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.assessment.assessment import Assessment, canary_table
from harness.assessment.recording import Facts, read_captures, read_facts
from harness.capture.run import SubjectFacts
from harness.errors import HarnessError
from harness.judging.decision import decision
from harness.judging.verdicts import Row
from harness.plugin.items import RequirementItem
from harness.record import jsonl as record
from harness.record.header import CanaryTable, Header
from harness.report.line import Style
from harness.report.rerun import rerun
from harness.report.terminal import Summary, render

if TYPE_CHECKING:
    from harness.plugin.subject import SubjectPlugin

#: Where a report keeps its row, as plain values, on the way from a worker to here.
ROW = "cc_otel_row"

_MARKUP: dict[Style, dict[str, bool]] = {
    Style.PLAIN: {},
    Style.TITLE: {"bold": True},
    Style.GOOD: {"green": True},
    Style.BAD: {"red": True},
    Style.CARE: {"yellow": True},
}


class Ledger:
    """Decides the exit code, writes the record and shows the summary."""

    def __init__(self, subject: SubjectPlugin, assessment: Assessment) -> None:
        self._config = subject.config
        self._options = subject.options
        self._binary = subject.binary
        self._shared = subject.shared
        self._started = subject.started_unix_nano
        self._assessment = assessment
        self._rows: dict[str, Row] = {}
        self._selected: frozenset[str] = frozenset()
        self._notes: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._select([item.nodeid for item in session.items if isinstance(item, RequirementItem)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        known = {requirement.name for requirement in self._assessment.contract.requirements}
        self._select([name for name in ids if name in known])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        plain: dict[str, Any] | None = getattr(report, ROW, None)
        if plain is not None:
            row = record.row_from_plain(plain)
            self._rows[row.requirement] = row

    # Before pytest's terminal shows the exit code and the summary.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._config.option.collectonly:
            return
        if (
            session.exitstatus == pytest.ExitCode.OK
            and decision(self.rows, len(self._facts.undriven)).failed
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._options.captures is not None:
            self._notes.append(f"captures   {self._options.captures}")
        if self._options.report is not None:
            self._write(self._options.report, int(session.exitstatus))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._config.option.collectonly:
            return
        summary = Summary(
            self._header(),
            self.rows,
            len(self._selected),
            lambda row: rerun(self._options.rerun, row, self._facts.fuzz),
            self._facts.problem,
            len(self._facts.undriven),
            [*self._facts.notes, *self._notes],
        )
        terminalreporter.write_sep("=", "claude telemetry")
        for line in render(summary):
            terminalreporter.write_line(line.text, **_MARKUP[line.style])

    @property
    def rows(self) -> list[Row]:
        """The rows so far, in the order of the catalogue."""
        names = [requirement.name for requirement in self._assessment.contract.requirements]
        return [self._rows[name] for name in names if name in self._rows]

    @property
    def _facts(self) -> Facts:
        if self._shared is not None:
            return read_facts(self._shared) or Facts()
        # Asking for the recording would make it.
        made = vars(self._assessment).get("recording")
        return Facts() if made is None else made.facts

    @cached_property
    def _canaries(self) -> CanaryTable:
        """Read when all is recorded: the captures are searched once."""
        if self._shared is not None:
            captures = read_captures(self._shared)
        else:
            made = vars(self._assessment).get("recording")
            captures = () if made is None else made.captures
        return canary_table(captures, self._assessment.contract)

    def _select(self, names: Sequence[str]) -> None:
        self._selected = frozenset(names)

    def _header(self) -> Header:
        facts, binary = self._facts, self._binary
        return Header(
            subject=SubjectFacts(binary.spec, binary.path, binary.version),
            documents=self._assessment.contract.documents,
            exports=dict(facts.exports),
            started_unix_nano=self._started,
            ended_unix_nano=time.time_ns(),
            recording_s=facts.seconds,
            runs=dict(facts.runs),
            unavoidable_s=facts.unavoidable_s,
            fuzz=facts.fuzz,
            canaries=self._canaries,
            tool=importlib.metadata.version("pytest-cc-otel"),
        )

    def _write(self, folder: Path, exit_code: int) -> None:
        rows = self.rows
        path = folder / record.FILE_NAME
        footer = None
        if len(rows) == len(self._selected):
            decided = decision(rows, len(self._facts.undriven))
            footer = record.Footer(
                selected=len(self._selected),
                deselected=len(self._assessment.contract.requirements) - len(self._selected),
                failed=decided.failed,
                why=decided.why,
                exit_code=exit_code,
                ratio=self._header().ratio,
            )
        try:
            record.write(path, self._header(), rows, footer)
        except HarnessError as error:
            self._notes.append(f"no record: {error}")
        else:
            self._notes.append(f"record     {path}{'' if footer else ', without a footer'}")
