"""Load a recording that was kept, and reject an incomplete or inconsistent one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from ..capture import files
from ..capture.capture import Capture
from ..capture.run import SubjectFacts
from ..contract.requirement import DRAWN
from ..contract.versions import Version
from ..errors import UsageError
from ..record import jsonl
from ..record.header import Header
from ..record.jsonl import RunRecord
from ..record.moments import Moment, moments_of
from ..record.summary import Plan, RunSummary
from .job import CLAUDE, Job
from .jobs import JOBS
from .recording import Recording, recorded

#: No run was earlier (the first release is younger) or will be later.
_EARLIEST_UNIX_NANO = 1_577_836_800_000_000_000  # 2020
_LATEST_UNIX_NANO = 4_102_444_800_000_000_000  # 2100

#: So much earlier than its run may an export have arrived: clocks are set meanwhile.
_CLOCK_NS = 3_600_000_000_000


def job_of(header: Header | None, recording: Recording) -> Job:
    """Return the job of a recording that was loaded: as its header says, or its single capture."""
    if header is not None:
        return JOBS[header.job]
    (capture,) = recording.captures
    return next(job for job in JOBS.values() if capture.run.scenario in job.scenarios)


def day_of(header: Header | None, recording: Recording) -> date:
    """Return the day (UTC) on which a recording was made, as its header or single capture says."""
    if header is None:
        (capture,) = recording.captures
        started = capture.run.started_unix_nano
    else:
        started = header.started_unix_nano
    return datetime.fromtimestamp(started / 1e9, UTC).date()


def load_recording(
    folder: Path, of: Job | None = CLAUDE
) -> tuple[Header | None, SubjectFacts, Recording]:
    """Load the recording that ``--cc-captures`` kept in ``folder``, or a single capture of it.

    A single capture has no header; the options for its rerun are taken from the record beside
    it, if there is one. ``of``: for which job it must have been made (None: for any). Raises
    UsageError, which names what is missing or impossible, for a recording that is incomplete: a
    part of it is not judged.
    """
    if (folder / files.SIDECAR).exists():
        subject, recording = _alone(folder)
        _is_of(folder, of, job_of(None, recording))
        return None, subject, recording
    path = folder / jsonl.FILE_NAME
    if not path.is_file():
        raise UsageError(
            f"capture folder {folder}",
            seen=f"neither {jsonl.FILE_NAME} nor {files.SIDECAR} in it",
            expected="a folder that --cc-captures made",
        )
    record = jsonl.read_part(path)
    _is_of(folder, of, JOBS[record.header.job])
    if record.recording is None:
        raise UsageError(
            f"record {path}",
            seen=f"{len(_folders(folder))} captures, and no line that the recording is complete: "
            "it was broken off",
            expected=f"the {len(record.plan.runs)} runs that were planned",
        )
    for problem in _missing(folder, record):
        raise problem
    captures = []
    moments: dict[str, tuple[Moment, ...]] = {}
    for run in record.recording.recorded:
        capture = _capture(folder / run.folder)
        _is_as_recorded(folder / run.folder, capture, run, record.header.subject)
        captures.append(capture)
        moments[run.folder] = run.moments or moments_of(capture)
    # Records of before do not tell what happened in a run; their captures do.
    runs = tuple(replace(run, moments=moments.get(run.folder, ())) for run in record.recording.runs)
    return (
        record.header,
        record.header.subject,
        Recording(replace(record.recording, runs=runs), tuple(captures), record.plan),
    )


def check_job(folder: Path, wanted: Job) -> None:
    """Raise UsageError if the recording in ``folder`` is of another job; little of it is read."""
    path = folder / jsonl.FILE_NAME
    if path.is_file():
        _is_of(folder, wanted, JOBS[jsonl.read_part(path).header.job])


def _is_of(folder: Path, wanted: Job | None, job: Job) -> None:
    if wanted not in (None, job):
        assert wanted is not None
        raise UsageError(
            f"recording {folder}", seen=f"one of a {job.name}", expected=f"one of a {wanted.name}"
        )


def _alone(folder: Path) -> tuple[SubjectFacts, Recording]:
    """Load a single capture, with the options and the seed of the record beside it."""
    capture = _capture(folder)
    beside = folder.absolute().parent / jsonl.FILE_NAME
    record = jsonl.read_part(beside) if beside.is_file() else None
    runs = record.recording.recorded if record is not None and record.recording is not None else ()
    if record is None or folder.absolute().name not in {run.folder for run in runs}:
        return capture.run.subject, recorded([capture])
    fuzz = record.header.fuzz if DRAWN in capture.run.traits else None
    made = recorded([capture], fuzz=fuzz)
    return capture.run.subject, replace(
        made, plan=Plan(options=record.plan.options, expectations=record.plan.expectations)
    )


def _missing(folder: Path, record: RunRecord) -> Iterator[UsageError]:
    """Yield an error for each disagreement between the record and the folder."""
    assert record.recording is not None
    labels = [run.label for run in record.recording.runs]
    if not record.recording.harness_fault:
        for label in record.plan.runs:
            if label not in labels:
                yield UsageError(
                    f"record {folder / jsonl.FILE_NAME}",
                    seen=f"nothing about {label}",
                    expected=f"a line for each of the {len(record.plan.runs)} planned runs",
                )
    named = [run.folder for run in record.recording.recorded]
    for run in record.recording.recorded:
        if not run.folder or not (folder / run.folder).is_dir():
            yield UsageError(
                f"capture folder {folder / run.folder}",
                seen="no such folder",
                expected=f"the capture of {run.label}, as {jsonl.FILE_NAME} says",
            )
    for name in _folders(folder):
        if name not in named:
            yield UsageError(
                f"capture folder {folder / name}",
                seen=f"no line about it in {jsonl.FILE_NAME}",
                expected="captures of one recording (an empty folder for --cc-captures)",
            )


def _folders(folder: Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.iterdir()
        if (path / files.SIDECAR).exists() or (path / files.TRANSPORT).exists()
    )


def _capture(folder: Path) -> Capture:
    """Load a capture; raise UsageError if a value in it is impossible."""
    capture = files.load(folder)
    run, where = capture.run, f"file {folder / files.SIDECAR}"
    try:
        Version.parse(run.subject.version)
    except ValueError:
        raise UsageError(
            where,
            seen=f"subject.version {run.subject.version!r}",
            expected="a release such as 2.1.31",
        ) from None
    if not any(run.scenario in job.scenarios for job in JOBS.values()):
        raise UsageError(
            where,
            seen=f"scenario {run.scenario!r}",
            expected="a scenario that this version of pytest-cc-otel knows",
        )
    if not _EARLIEST_UNIX_NANO <= run.started_unix_nano <= run.ended_unix_nano < _LATEST_UNIX_NANO:
        raise UsageError(
            where,
            seen=f"a run from {run.started_unix_nano} to {run.ended_unix_nano}",
            expected="Unix nanoseconds of this century, the start before the end",
        )
    if capture.forgotten < 0:
        raise UsageError(where, seen=f"forgotten {capture.forgotten}", expected="0 or more")
    _exports_are_possible(folder, capture)
    return capture


def _exports_are_possible(folder: Path, capture: Capture) -> None:
    last = 0
    for line, export in enumerate(capture.exports, start=1):
        where = f"file {folder / files.TRANSPORT} line {line}"
        if export.sequence <= last:
            raise UsageError(
                where,
                seen=f"sequence {export.sequence}",
                expected=f"more than {last}, that of the line before",
            )
        last = export.sequence
        earliest = capture.run.started_unix_nano - _CLOCK_NS
        if not earliest <= export.arrived_unix_nano < _LATEST_UNIX_NANO:
            raise UsageError(
                where,
                seen=f"arrived_unix_nano {export.arrived_unix_nano}",
                expected=f"a time of its run, from {capture.run.started_unix_nano} on",
            )


def _is_as_recorded(folder: Path, capture: Capture, run: RunSummary, subject: SubjectFacts) -> None:
    """Raise UsageError if a capture is of another run or release than the record says."""
    for what, seen, expected in (
        ("a capture of", capture.run.label, run.label),
        ("a capture of release", capture.run.subject.version, subject.version),
        ("forgotten", str(capture.forgotten), str(run.forgotten)),
    ):
        if seen != expected:
            raise UsageError(
                f"file {folder / files.SIDECAR}",
                seen=f"{what} {seen}",
                expected=f"{expected}, as {jsonl.FILE_NAME} says",
            )
