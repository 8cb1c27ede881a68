"""Judge one subject by the contract of its version, requirement by requirement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from harness.assessment.recording import Recording
from harness.capture.capture import Capture
from harness.contract.applicability import applies_to_run, needs_run
from harness.contract.catalogue import Contract, load
from harness.contract.exercised import REFERENCE, exercised_by, kind_of
from harness.contract.requirement import Requirement
from harness.contract.versions import Version
from harness.findings import Judged, NotExercised
from harness.judging.checks import canaries, names
from harness.judging.checks.names import Undocumented
from harness.judging.expectations import NO_EXPECTATIONS, Expectations, load_expectations
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge, Judgement
from harness.judging.verdicts import Row, broken, decide
from harness.record.header import CanaryTable
from harness.record.summary import not_kept
from harness.themes.catalogue import MEASURES, SCENARIOS, planned_runs
from harness.themes.free_form.by_hand import by_hand


def catalogue(version: str = "0.0.0") -> Contract:
    """Load the contract for ``version``, with the checks and scenarios that exist."""
    return load(Version.parse(version), checks=CHECKS, scenarios=SCENARIOS)


def canary_table(captures: Sequence[Capture], contract: Contract) -> CanaryTable:
    """Tabulate where canaries occur in these captures, and whether the contract allows it."""
    applying = list(filter(contract.applies, contract.requirements))
    return CanaryTable(*canaries.table(captures, applying))


def undocumented_names(captures: Sequence[Capture]) -> tuple[Undocumented, ...]:
    """List the names in these captures that no document knows."""
    return names.listing([CaptureView(capture, MEASURES) for capture in captures])


def _runs_of(requirement: Requirement) -> set[str]:
    """Return the labels of all runs that are made for the requirement."""
    return {run.label for run in planned_runs() if needs_run(requirement, run)}


def _slow_runs() -> set[str]:
    """Return the labels of the runs that are made only with ``--cc-slow``."""
    return {run.label for run in planned_runs() if SCENARIOS[run.scenario].slow}


class Assessment:
    """The verdicts on one subject; its recording is made when the first verdict needs it.

    ``spec`` is the subject's ``--cc-binary``: the conforming emitter
    (``reference``) has no known deviations. ``recording`` is called once at most.
    """

    def __init__(self, spec: str, version: str, recording: Callable[[], Recording]) -> None:
        self._spec = spec
        self._version = version
        self._record = recording

    @cached_property
    def contract(self) -> Contract:
        return catalogue(self._version)

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
            return decide(self.contract, requirement, None, self._expectations)
        summary = self.recording.summary
        if summary.harness_fault:
            return broken(requirement, summary.harness_fault)
        if lost := self._lost(requirement):
            return broken(requirement, lost)
        judgement = self._judge.judge(requirement, self._views)
        if isinstance(judgement.outcome, NotExercised) and not judgement.silenced:
            judgement = self._explain_not_exercised(requirement, judgement.outcome)
        return decide(
            self.contract,
            requirement,
            judgement,
            self._expectations,
            whole=self._whole(requirement),
        )

    def breaks(
        self, capture: Capture, selected: Collection[Requirement] | None = None
    ) -> list[str]:
        """Return the names of the requirements that one capture breaks by itself.

        Only those in ``selected`` (None: all that apply) are judged, without listed deviations.

        May be called from several threads, before there is a recording.
        """
        view = CaptureView(capture, MEASURES)
        return [
            requirement.name
            for requirement in (self._applying if selected is None else selected)
            if applies_to_run(requirement, capture.run)
            and self._expectations.get(requirement.name) is None
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
        """Say whether every run was made that the requirement needs."""
        return _runs_of(requirement) <= {capture.run.label for capture in self.recording.captures}

    def _explain_not_exercised(self, requirement: Requirement, outcome: NotExercised) -> Judgement:
        """Replace the reason by the undriven, skipped or slow runs that would have exercised it."""
        undriven = [run.label for run in self.recording.summary.undriven]
        if undriven and not self.recording.captures:
            return Judgement(NotExercised("the subject could not be driven"))
        concerned = _runs_of(requirement)
        skipped = {
            run.reason: None for run in self.recording.summary.skipped if run.label in concerned
        }
        if skipped and not any(view.run.label in concerned for view in self._views):
            return Judgement(NotExercised("; ".join(skipped)))
        runs = [label for label in undriven if label in concerned]
        if not runs and concerned and concerned == _slow_runs() & concerned:
            return Judgement(NotExercised("needs --cc-slow"))
        notes = [f"not driven to the end: {', '.join(runs)}"] if runs else [*skipped]
        if not notes:
            return Judgement(outcome)
        return Judgement(NotExercised(f"{outcome.reason} ({'; '.join(notes)})"))

    @cached_property
    def _views(self) -> tuple[CaptureView, ...]:
        return tuple(CaptureView(capture, MEASURES) for capture in self.recording.captures)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self.contract, by_hand, exercised_by(kind_of(self._spec)))

    @cached_property
    def _applying(self) -> tuple[Requirement, ...]:
        return tuple(filter(self.contract.applies, self.contract.requirements))

    @cached_property
    def _oracle(self) -> Judge:
        return Judge(self.contract, by_hand)

    @cached_property
    def _expectations(self) -> Expectations:
        if kind_of(self._spec) == REFERENCE:
            return NO_EXPECTATIONS
        names = [requirement.name for requirement in self.contract.requirements]
        return load_expectations(self.contract.version, names=names)
