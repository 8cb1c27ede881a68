"""Run and judge the releases of a matrix one after another; what is finished is kept."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...capture.run import SubjectFacts
from ...contract.versions import check_promised
from ...errors import HarnessError, SubjectError, UsageError
from ...judging.decision import decision
from ...judging.verdicts import Row
from ...record import jsonl
from ...subject.binary import Binary
from ...themes.catalogue import SCENARIOS
from ..assessment import Assessment
from ..recording import Recording, RecordingPlan, header_of, record_once
from ..stocktaking import stock_of
from .cache import Cache
from .chosen import Chosen
from .folder import Entry, MatrixFolder, MatrixPlan
from .progress import Progress

#: How long one run of a release may take, beside its waits.
_DEADLINE_S = 60.0

#: What the operating system says of a disk, or a share of it, without room.
_FULL = (errno.ENOSPC, errno.EDQUOT)

#: With less room on the disk, a release that could not be run says nothing about the release.
_ROOM_BYTES = 50 * 10**6

#: Of one verdict so many findings are kept, and so much of each of their texts.
_MOST_FINDINGS, _MOST_TEXT = 2, 300

#: Faults of the release itself; a UsageError about anything else is a fault of the machine.
_ABOUT_RELEASE = "--cc-binary="


@dataclass(frozen=True, slots=True)
class Making:
    """How a matrix is made: where, of which sessions, from which cache.

    ``captures`` says whether the captures of each release are kept as well.
    """

    folder: MatrixFolder
    plan: MatrixPlan
    cache: Cache
    captures: bool = False

    def make(self, releases: Sequence[Chosen], progress: Progress) -> None:
        """Run all of ``releases`` that are not finished, and keep what was found on each.

        What could not be run before is tried again, and so is what an earlier version of us left
        in another format. Raises UsageError for what would stop any
        release: no npm, no registry, a full disk.
        """
        for chosen in releases:
            with self.folder.claimed(chosen.version) as ours:
                if not ours:
                    continue
                there = self.folder.finished(chosen.version)
                if there is not None and there.current:
                    progress.already(there)
                    continue
                self._one(chosen, progress)
            self.cache.trim(progress.line)

    def _one(self, chosen: Chosen, progress: Progress) -> None:
        started = time.monotonic()
        progress.begin(chosen.version)
        with self.folder.scratch(chosen.version) as scratch:
            try:
                entry = self._found(chosen, scratch, progress.line)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                raise UsageError(
                    f"the disk of {error.filename or self.folder.path}",
                    seen=str(error),
                    expected="room for a recording; what is finished is kept",
                ) from error
            except (HarnessError, SubjectError) as error:
                entry = Entry(chosen.version, chosen.spec, 0.0, _reason(error, self.folder.path))
                _empty(scratch)
            entry = replace(entry, seconds=time.monotonic() - started)
            self.folder.keep(entry, scratch)
        progress.end(entry)

    def _found(self, chosen: Chosen, scratch: Path, progress: Callable[[str], None]) -> Entry:
        """Run and judge one release; its record goes to ``scratch``, and captures if asked for."""
        binary = self.cache.resolve(chosen, progress)
        check_promised(binary.version, f"{_ABOUT_RELEASE}{chosen.spec}")
        keep = scratch / "captures" if self.captures else None
        if keep is not None:
            keep.mkdir()
        # In the catalogue's order: the longest start first.
        scenarios = tuple(each for each in SCENARIOS.values() if each.name in self.plan.scenarios)
        started_unix_nano = time.time_ns()
        recording = record_once(RecordingPlan(binary, scenarios, _DEADLINE_S, keep), progress)
        summary = recording.summary
        if summary.harness_fault:
            raise HarnessError(summary.harness_fault)
        if not recording.captures:
            raise SubjectError(f"it cannot be driven through any session: {summary.problem}")
        subject = SubjectFacts(binary.spec, binary.path, binary.version)
        own = Assessment(binary.spec, binary.version, lambda: recording)
        rows = list(_judged(own))
        _write_record(scratch, own, rows, recording, started_unix_nano, binary)
        common = Assessment(binary.spec, self.plan.by, lambda: recording)
        return Entry(
            chosen.version,
            chosen.spec,
            0.0,
            made=tuple(run.label for run in summary.recorded),
            undriven={run.label: _first_line(run.reason) for run in summary.undriven},
            own=tuple(rows),
            common=tuple(_judged(common)),
            inventory=stock_of(subject, recording.captures),
        )


def _judged(assessment: Assessment) -> Iterator[Row]:
    """Yield the verdicts, with as much of the findings as a reader of a table wants to see."""
    for requirement in assessment.contract.requirements:
        row = assessment.row(requirement)
        findings = tuple(
            replace(found, seen=_cut(found.seen), expected=_cut(found.expected), by_hand="")
            for found in row.findings[:_MOST_FINDINGS]
        )
        yield replace(row, findings=findings)


def _write_record(
    folder: Path,
    assessment: Assessment,
    rows: Sequence[Row],
    recording: Recording,
    started_unix_nano: int,
    binary: Binary,
) -> None:
    summary = recording.summary
    subject = SubjectFacts(binary.spec, binary.path, binary.version)
    header = header_of(subject, assessment.contract.documents, summary, started_unix_nano)
    undriven = len(summary.undriven)
    footer = jsonl.Footer.of(
        header,
        rows,
        undriven,
        catalogue=len(rows),
        exit_code=int(decision(rows, undriven).failed),
    )
    record = jsonl.RunRecord(header, recording.plan, summary, tuple(rows), footer)
    jsonl.write(folder / jsonl.FILE_NAME, record)


def _reason(error: Exception, folder: Path) -> str:
    """Return why a release could not be run; raise what is no fault of the release."""
    if isinstance(error, UsageError) and not error.change.startswith(_ABOUT_RELEASE):
        raise error
    if shutil.disk_usage(folder).free < _ROOM_BYTES:
        raise UsageError(
            f"the disk of {folder}", seen="it is full", expected="room; what is finished is kept"
        ) from error
    return _cut(str(error))


def _empty(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _first_line(text: str) -> str:
    return _cut(text.partition("\n")[0])


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
