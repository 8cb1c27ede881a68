"""Judge one subject by the contract of its version, requirement by requirement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from ..capture.capture import Capture
from ..capture.run import SubjectFacts
from ..contract.applicability import applies_to_run, needs_run
from ..contract.catalogue import Contract
from ..contract.requirement import Requirement
from ..findings import Impact, Judged, NotExercised
from ..judging.crowding import withhold
from ..judging.entries import EntryTold, entries_told
from ..judging.expectations import Expectations
from ..judging.items.view import CaptureView
from ..judging.judge import Judge, Judgement
from ..judging.listing import NO_LISTING, Listing
from ..judging.novelty import told_if_new
from ..judging.proposals import proposed
from ..judging.verdicts import Row, broken, decide, held_to
from ..mutants.proof import Proof
from ..record.summary import not_kept
from .job import CLAUDE, Job
from .recording import Recording


def catalogue(version: str = "0.0.0") -> Contract:
    """Load the contract of the CLI for ``version``, with the checks and scenarios that exist."""
    return CLAUDE.contract(version)


class Assessment:
    """The verdicts on one subject; its recording is made when the first verdict needs it.

    ``spec`` is the subject's ``--cc-binary``: the conforming emitter
    (``reference``) has no known deviations. ``recording`` is called once at most. ``job`` says
    what kind of subject it is, ``own`` is a list of known deviations beside ours, followed as of
    ``day`` (None: today, UTC). ``fail_on`` are impacts that fail the run, listed or not.
    """

    def __init__(
        self,
        spec: str,
        version: str,
        recording: Callable[[], Recording],
        job: Job = CLAUDE,
        own: Listing = NO_LISTING,
        day: date | None = None,
        fail_on: Collection[Impact] = (),
    ) -> None:
        self.job = job
        self._spec = spec
        self._version = version
        self.own = own
        self._fail_on = frozenset(fail_on)
        self._day = day or datetime.now(UTC).date()
        self._record = recording

    @property
    def release(self) -> str:
        """The release whose contract it is judged by; empty for a subject without releases."""
        return str(self.contract.version) if self.job.has_releases else ""

    @cached_property
    def contract(self) -> Contract:
        return self.job.contract(self._version)

    @cached_property
    def recording(self) -> Recording:
        return self._record()

    @property
    def recording_so_far(self) -> Recording | None:
        """The recording if it has been made; reading this does not make it."""
        made: Recording | None = vars(self).get("recording")
        return made

    def prepare(self, requirement: Requirement) -> None:
        """Make the recording, unless there is one or the verdict on ``requirement`` needs none."""
        if self.contract.applies(requirement):
            _ = self.recording

    def row(self, requirement: Requirement) -> Row:
        """Return the verdict on one requirement. Raises HarnessError for broken contract data."""
        if not self.contract.applies(requirement):
            return decide(self.contract, requirement, None, self.expectations)
        summary = self.recording.summary
        if summary.harness_fault:
            # The summary shows all of it, once.
            return broken(requirement, summary.harness_fault.partition("\n")[0])
        if lost := self._lost(requirement):
            return broken(requirement, lost)
        judgement = self._judge.judge(requirement, self._views)
        if isinstance(judgement.outcome, NotExercised) and not judgement.silenced:
            judgement = self._explain_not_exercised(requirement, judgement.outcome)
        row = decide(
            self.contract,
            requirement,
            judgement,
            self.expectations,
            # Asked of listed deviations alone.
            whole=self.expectations.get(requirement.name) is None or self._whole(requirement),
        )
        row = told_if_new(row, requirement, self.expectations, self.job.exercised(self._spec))
        row = held_to(row, self._fail_on)
        return withhold(row, (capture.run for capture in self.recording.captures))

    def breaks(
        self, capture: Capture, selected: Collection[Requirement] | None = None
    ) -> list[str]:
        """Return the names of the requirements that one capture breaks by itself.

        Only those in ``selected`` (None: all that apply) are judged, without listed deviations.

        May be called from several threads, before there is a recording.
        """
        view = CaptureView(capture, self.job.measures)
        return [
            requirement.name
            for requirement in (self._applying if selected is None else selected)
            if applies_to_run(requirement, capture.run)
            and self.expectations.get(requirement.name) is None
            and isinstance(outcome := self._oracle.judge(requirement, [view]).outcome, Judged)
            and outcome.findings
        ]

    def _lost(self, requirement: Requirement) -> str:
        """Name the runs of the requirement whose exports the harness has not fully kept.

        They allow no verdict: neither that a promise was kept, nor, for counts and sums, that it
        was broken.
        """
        return "; ".join(
            not_kept(run)
            for run, capture in zip(
                self.recording.summary.recorded, self.recording.captures, strict=True
            )
            if (run.forgotten or run.unkept) and applies_to_run(requirement, capture.run)
        )

    def _whole(self, requirement: Requirement) -> bool:
        """Say whether every run was made that the requirement needs.

        A run that a collector does not allow (it has no such port) is not asked of it, and of a
        scenario that is run over one protocol only, one run is enough.
        """
        runs = [capture.run for capture in self.recording.captures]
        made = {run.label for run in runs}
        needed = self._runs_of(requirement)
        if self.job.has_releases:
            return needed <= made
        needed -= {run.label for run in self.recording.summary.skipped}
        enough = self.job.once & {run.scenario for run in runs}
        needed -= {run.label for run in self.job.runs() if run.scenario in enough} - made
        return bool(needed) and needed <= made

    def _runs_of(self, requirement: Requirement) -> set[str]:
        """Return the labels of all runs that are made for the requirement."""
        return {run.label for run in self.job.runs() if needs_run(requirement, run)}

    def _explain_not_exercised(self, requirement: Requirement, outcome: NotExercised) -> Judgement:
        """Replace the reason by the undriven, skipped or slow runs that would have exercised it."""
        undriven = [run.label for run in self.recording.summary.undriven]
        if undriven and not self.recording.captures:
            return Judgement(NotExercised("the subject could not be driven"))
        concerned = self._runs_of(requirement)
        skipped = {
            run.reason: None for run in self.recording.summary.skipped if run.label in concerned
        }
        if skipped and not any(view.run.label in concerned for view in self._views):
            return Judgement(NotExercised("; ".join(skipped)))
        runs = [label for label in undriven if label in concerned]
        slow = {run.label for run in self.job.runs() if run.scenario in self.job.slow}
        if not runs and concerned and concerned <= slow:
            return Judgement(NotExercised("needs --cc-slow"))
        notes = [f"not driven to the end: {', '.join(runs)}"] if runs else [*skipped]
        if not notes:
            return Judgement(outcome)
        return Judgement(NotExercised(f"{outcome.reason} ({'; '.join(notes)})"))

    @cached_property
    def _views(self) -> tuple[CaptureView, ...]:
        measures = self.job.measures
        return tuple(CaptureView(capture, measures) for capture in self.recording.captures)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self.contract, self.job.by_hand, self.job.exercised(self._spec))

    @cached_property
    def _applying(self) -> tuple[Requirement, ...]:
        return tuple(filter(self.contract.applies, self.contract.requirements))

    @cached_property
    def _oracle(self) -> Judge:
        return Judge(self.contract, self.job.by_hand)

    @cached_property
    def expectations(self) -> Expectations:
        """The listed deviations.  Raises HarnessError for a list that cannot be followed."""
        return self.job.expectations(self._spec, self.contract, self.own, self._day)

    def proof(self) -> Proof:
        """Return what tells the lies about kept promises in this subject's own captures."""
        job = self.job
        return Proof(self._judge, self._views, job.measures, job.lies(), self.expectations)

    def entries(self, rows: Iterable[Row]) -> list[EntryTold]:
        """Tell what became of the entries of somebody's own list, by the verdicts."""
        return entries_told(self.own, self.contract.version, self._day, rows)

    def proposals(self, subject: SubjectFacts, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Propose entries for somebody's own list: what fails the run, and is not excused."""
        named = subject.spec + (f" (claude {self.release})" if self.release else "")
        return proposed(rows, self.release, f"{named}, judged on {self._day}")
