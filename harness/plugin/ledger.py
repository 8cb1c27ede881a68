"""Collect the verdicts of a session, in the process that reports them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ..assessment.assessment import Assessment
from ..assessment.endings import ended_badly
from ..assessment.listings import write_proposals
from ..assessment.power import power_of
from ..assessment.recording import Recording, header_of, kept_in, read_shared
from ..assessment.reporting import write_reports
from ..drift.comparison import Comparison
from ..errors import HarnessError
from ..judging.checks.names import Undocumented
from ..judging.decision import decision
from ..judging.power import Power
from ..judging.verdicts import Row
from ..record import jsonl
from ..record.header import CanaryTable, Header
from ..record.latency import Latency
from ..record.summary import Plan, RecordingSummary
from ..report import code_quality, html, page, screen, terminal
from ..report.line import Style
from ..report.rerun import rerun
from ..report.summary import Summary
from .items import RequirementItem
from .options import ACCEPT
from .state import State

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
    """A pytest plugin that decides the exit code, writes the record and prints the summary."""

    def __init__(self, state: State, assessment: Assessment) -> None:
        self._config = state.config
        self._state = state
        self._assessment = assessment
        self._rows: dict[str, Row] = {}
        self._selected: frozenset[str] = frozenset()
        self._notes: list[str] = []
        self._unwritten = False
        self._read: Recording | None = None
        self._table: CanaryTable | None = None
        self._undocumented: tuple[Undocumented, ...] | None = None
        self._measured: tuple[Latency, ...] | None = None
        self._ended_badly: str | None = None
        self._proven: Power | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._select([item.nodeid for item in session.items if isinstance(item, RequirementItem)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        known = {requirement.name for requirement in self._assessment.contract.requirements}
        self._select([name for name in ids if name in known])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        plain: dict[str, Any] | None = getattr(report, ROW, None)
        if plain is not None:
            row = jsonl.row_from_plain(plain)
            self._rows[row.requirement] = row

    # Before pytest's terminal shows the exit code and the summary.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._config.option.collectonly:
            return
        if (
            session.exitstatus == pytest.ExitCode.OK
            and decision(self.rows, len(self._summary.undriven), self._also).failed
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._prove()
        self._propose()
        folders = []
        if self._state.captures is not None and self._recording is not None:
            self._notes.append(f"captures   {self._state.captures}")
            folders.append(self._state.captures)
        if self._state.report is not None and self._state.report not in folders:
            folders.append(self._state.report)
        for folder in folders:
            self._write(folder, int(session.exitstatus))
        if self._state.report is not None:
            self._write_comparison(self._state.report)
            self._write_pages(self._state.report, int(session.exitstatus))
        if self._unwritten and session.exitstatus == pytest.ExitCode.OK:
            # Whoever waits for the report must not take the last one for this one.
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # Around all others: what is decided by is the last thing on the screen.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None]:
        yield
        if self._config.option.collectonly:
            return
        summary = self.summed_up()
        if self._summary.harness_fault and terminalreporter.stats.get("error"):
            summary = replace(summary, problem="")  # pytest has shown it
        terminalreporter.write_sep("=", f"{self._assessment.job.name} telemetry")
        width = terminalreporter._tw.fullwidth
        verbose = self._config.get_verbosity() > 0
        lines = (terminal if verbose else screen).render(summary, width)
        for line in lines:
            terminalreporter.write_line(line.text, **_MARKUP[line.style])

    def summed_up(self) -> Summary:
        """Return what the end of the run is rendered from."""
        return Summary(
            self._header(),
            self.rows,
            len(self._selected),
            lambda row: rerun(self._state.rerun, row, self._summary.fuzz),
            self._summary.problem,
            len(self._summary.undriven),
            self._summary.notes,
            listing=self._assessment.own.file,
            entries=self._assessment.entries(self.rows),
            comparison=self._comparison(),
            ended=self._ended(),
            written=self._notes,
            power=self._proven,
        )

    def note(self, line: str) -> None:
        """Add a line about a file that was, or was not, written."""
        self._notes.append(line)

    def facts(self) -> dict[str, str]:
        """Return what a JUnit file says of the whole suite."""
        facts, summary = self._state.facts, self._summary
        return {
            "subject": facts.spec,
            "version": facts.version,
            "recording_s": f"{summary.seconds:.3f}",
            "runs": str(len(summary.recorded)),
        }

    @property
    def rows(self) -> list[Row]:
        """The verdicts so far, in the order of the catalogue."""
        names = [requirement.name for requirement in self._assessment.contract.requirements]
        return [self._rows[name] for name in names if name in self._rows]

    @property
    def _recording(self) -> Recording | None:
        """The recording if it has been made; reading this does not make it."""
        if self._state.shared is not None:
            return self._shared_recording
        return self._assessment.recording_so_far

    @property
    def _shared_recording(self) -> Recording | None:
        # Read again until it is there, and once only then: it may be large.
        if self._read is None:
            assert self._state.shared is not None
            self._read = read_shared(self._state.shared)
        return self._read

    @property
    def _summary(self) -> RecordingSummary:
        recording = self._recording
        return RecordingSummary() if recording is None else recording.summary

    def _canaries(self) -> CanaryTable:
        """Return the canary table; the captures are searched once, when all is recorded.

        Not a cached property: pytest reads all attributes of a plugin when it is
        registered (8.2 the values of properties, too), before there is a recording.
        """
        recording = self._recording
        if recording is None:
            return CanaryTable()
        if self._table is None:
            assessment = self._assessment
            self._table = assessment.job.canary_table(recording.captures, assessment.contract)
        return self._table

    def _names(self) -> tuple[Undocumented, ...]:
        """Return the names that no document knows; looked for once, as the canaries are."""
        recording = self._recording
        if recording is None:
            return ()
        if self._undocumented is None:
            job = self._assessment.job
            self._undocumented = job.undocumented_names(recording.captures)
        return self._undocumented

    def _latencies(self) -> tuple[Latency, ...]:
        """Return how long telemetry took to come out; measured once, as canaries are searched."""
        recording = self._recording
        if recording is None:
            return ()
        if self._measured is None:
            self._measured = self._assessment.job.latencies(recording.captures)
        return self._measured

    def _ended(self) -> str:
        """Say in which runs the subject ended badly, once all is judged; judged once."""
        if self._recording is None or len(self.rows) < len(self._selected):
            return ""
        if self._ended_badly is None:
            self._ended_badly = ended_badly(self._assessment, self.rows)
        return self._ended_badly

    def _comparison(self) -> Comparison | None:
        """Return the comparison with another release, once all is judged; None without one."""
        upgrade = self._state.upgrade
        if upgrade is None or len(self.rows) < len(self._selected):
            return None
        return upgrade.compared(self._state.facts, self._recording, self.rows, self._kept)

    @property
    def _also(self) -> str:
        comparison = self._comparison()
        return "; ".join(filter(None, (self._ended(), comparison.failure if comparison else "")))

    @property
    def _kept(self) -> Path | None:
        """The folder of the captures, if they are kept."""
        if self._state.captures is None and self._state.shared is not None:
            return kept_in(self._state.shared)
        return self._state.captures

    def _write_comparison(self, folder: Path) -> None:
        comparison = self._comparison()
        if comparison is None:
            return
        try:
            written = [path.name for path in write_reports(folder, comparison)]
        except HarnessError as error:
            self._notes.append(f"no report: {error}")
            self._unwritten = True
        else:
            self._notes.append(f"compared   {folder}: {', '.join(written)}")

    def _select(self, names: Sequence[str]) -> None:
        self._selected = frozenset(names)

    def _header(self) -> Header:
        header = header_of(
            self._state.facts,
            self._assessment.contract.documents,
            self._summary,
            self._state.started_unix_nano,
            self._assessment.job.name,
            self._state.relay(self._summary.begun),
        )
        return replace(
            header,
            canaries=self._canaries(),
            undocumented=self._names(),
            latencies=self._latencies(),
        )

    def _prove(self) -> None:
        """Tell lies about what was kept, if that was asked for and all is judged."""
        unjudged = self._recording is None or len(self.rows) < len(self._selected)
        if self._state.power and not unjudged:
            self._state.progress("telling lies about each promise that was kept")
            self._proven = power_of(self._assessment, self.rows)

    def _propose(self) -> None:
        """Write what could be accepted, if that was asked for."""
        path = self._state.accept
        if path is None:
            return
        entries = [*self._assessment.proposals(self._state.facts, self.rows)]
        if self._comparison() is not None and self._state.upgrade is not None:
            entries += self._state.upgrade.proposals()
        release = self._assessment.release
        try:
            note = write_proposals(path, ACCEPT, self._assessment.own, entries, release)
        except HarnessError as error:
            note = f"proposed   nothing: {error}"
        self._notes.append(note)

    def _write_pages(self, folder: Path, exit_code: int) -> None:
        """Write the pages for people, to browse and for a pull request, and that for GitLab."""
        for name, label, rendered in (
            (html.FILE_NAME, "report", html.page(self.record(exit_code))),
            (page.FILE_NAME, "summary", page.page(self.summed_up())),
            (code_quality.FILE_NAME, "", code_quality.code_quality(self.summed_up())),
        ):
            path = folder / name
            try:
                # A path may have bytes that are no UTF-8.
                path.write_text(rendered, encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                self._notes.append(f"no {label or name}: {error}")
            else:
                # What only machines read takes no line of the screen.
                self._notes += [f"{label:<10} {path}"] if label else []

    def record(self, exit_code: int) -> jsonl.RunRecord:
        """Return all that is known; without a footer where not everything was judged."""
        header, rows = self._header(), self.rows
        footer = None
        if len(rows) == len(self._selected):
            footer = jsonl.Footer.of(
                header,
                rows,
                len(self._summary.undriven),
                catalogue=len(self._assessment.contract.requirements),
                exit_code=exit_code,
                also=self._also,
            )
        recording = self._recording
        plan = Plan() if recording is None else recording.plan
        summary = None if recording is None else recording.summary
        compared, told = self._comparison(), self._proven
        return jsonl.RunRecord(header, plan, summary, tuple(rows), footer, compared, told)

    def _write(self, folder: Path, exit_code: int) -> None:
        path = folder / jsonl.FILE_NAME
        record = self.record(exit_code)
        try:
            jsonl.write(path, record)
        except HarnessError as error:
            self._notes.append(f"no record: {error}")
            self._unwritten = True
        else:
            self._notes.append(f"record     {path}{'' if record.footer else ', without a footer'}")
