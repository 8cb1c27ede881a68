"""Compare the subject of a session with another release (``--cc-baseline``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..assessment.comparing import Asked, ask, baseline_folder, compare
from ..assessment.kept import load_recording
from ..assessment.recording import Recording, RecordingPlan, record_together
from ..assessment.sides import Side, recorded_side, side_of
from ..capture.run import SubjectFacts
from ..contract.versions import Version
from ..drift.accepted import proposed
from ..drift.comparison import Comparison
from ..drift.impact import Query
from ..errors import HarnessError
from ..judging.listing import NO_LISTING, Listing
from ..judging.verdicts import Row
from .options import BASELINE


class Upgrade:
    """The comparison that a session is asked for, in each of its processes.

    ``asked`` is the baseline: it is found, or installed, when the session starts. ``own`` is a
    list of differences that are accepted.
    """

    def __init__(
        self, name: str, fail_on: str, queries: Sequence[Query], own: Listing = NO_LISTING
    ) -> None:
        self.name = name
        self.asked = Asked(name)
        self._fail_on = fail_on
        self._queries = queries
        self._own = own
        self._recording: Recording | None = None
        self._comparison: Comparison | None = None
        self._versions: tuple[Version, Version] | None = None

    def find(self, progress: Callable[[str], None]) -> None:
        """Find the baseline. Raises HarnessError for one that cannot be used."""
        self.asked = ask(self.name, progress, f"{BASELINE}=")

    def record(self, plan: RecordingPlan, progress: Callable[[str], None]) -> Recording:
        """Record the subject, and side by side the baseline if it has to be."""
        if self.asked.binary is None:
            (made,) = record_together([plan], progress)
            return made
        keep = None if plan.keep is None else baseline_folder(plan.keep)
        beside = replace(
            plan,
            binary=self.asked.binary,
            scenarios=tuple(each for each in plan.scenarios if not each.drawn),
            keep=keep,
            explore=None,
            options=(f"--cc-binary={self.name}", *plan.options[1:]),
        )
        try:
            if keep is not None:
                keep.mkdir(exist_ok=True)
        except OSError as error:
            raise HarnessError(f"folder {keep}: {error}") from error
        # In this order: the subject's runs are those that are judged by how long they took.
        made, self._recording = record_together([plan, beside], progress)
        return made

    def compared(
        self,
        subject: SubjectFacts,
        recording: Recording | None,
        rows: Sequence[Row],
        keep: Path | None,
    ) -> Comparison:
        """Return the comparison; it is made once, when all is judged.

        ``rows`` are the verdicts on the subject, ``keep`` is the folder of its captures.
        """
        if self._comparison is None:
            try:
                self._comparison = self._compared(subject, recording, rows, keep)
            except HarnessError as error:
                problem = str(error)
                self._comparison = Comparison(
                    self.name, subject.spec, fail_on=self._fail_on, problem=problem
                )
        return self._comparison

    def proposals(self) -> list[dict[str, Any]]:
        """Return an entry for each difference that fails the run, once they were compared."""
        made, versions = self._comparison, self._versions
        if made is None or versions is None:
            return []
        evidence = f"{made.old} -> {made.new}, compared on {datetime.now(UTC).date()}"
        return proposed(made.grave, *versions, evidence)

    def _compared(
        self,
        subject: SubjectFacts,
        recording: Recording | None,
        rows: Sequence[Row],
        keep: Path | None,
    ) -> Comparison:
        if recording is None:
            raise HarnessError("nothing was recorded: no requirement was chosen that applies")
        if recording.summary.harness_fault:
            raise HarnessError(recording.summary.harness_fault)
        new = side_of(subject.spec, subject, recording)
        old = self._baseline(keep)
        self._versions = (Version.parse(old.version), Version.parse(new.version))
        return compare(
            old,
            new,
            queries=self._queries,
            fail_on=self._fail_on,
            rows=rows,
            own=self._own,
        )

    def _baseline(self, keep: Path | None) -> Side:
        if self.asked.side is not None:
            return self.asked.side
        if self._recording is None:
            assert keep is not None, "a process that has not recorded reads what was kept"
            _, _, self._recording = load_recording(baseline_folder(keep))
        assert self.asked.binary is not None
        return recorded_side(self.name, self.asked.binary, self._recording)
