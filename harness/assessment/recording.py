"""Record a subject once, in this process or for all processes that share a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock

from ..capture import files
from ..capture.capture import Capture
from ..capture.run import GroundTruth, Run, SubjectFacts
from ..clock import monotonic_s, time_ns
from ..contract.requirement import DRAWN
from ..errors import HarnessError
from ..exposition import is_exposed
from ..findings import Impact
from ..fuzzing.exploration import Exploration
from ..judging.listing import NO_LISTING, Listing
from ..otlp.model import Protocol
from ..record import jsonl
from ..record.header import CLAUDE, Fuzz, Header, RelayFacts, library_versions, tool_version
from ..record.jsonl import RunRecord
from ..record.moments import moments_of
from ..record.summary import Plan, RecordingSummary, RunOutcome, RunSummary
from ..running.recorder import Enough, Order, Recorded, record_side_by_side
from ..running.scenario import Scenario
from ..shortage import want_of
from ..subject.binary import Binary
from ..themes.catalogue import SCENARIOS


@dataclass(frozen=True, slots=True)
class Recording:
    """The captures of all runs that were driven to their end, and a summary of all runs.

    After a fault of the harness there are none.
    """

    summary: RecordingSummary
    captures: tuple[Capture, ...] = ()
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What to record, and how.

    ``binary`` is run through ``scenarios`` over ``protocols``, each run for up to
    ``deadline_s``. ``keep`` is the folder for the captures and their record (None: none),
    ``allow_managed`` says whether managed settings may be written for the whole machine, and
    ``explore`` makes the runs of drawn scenarios (None: they are left out).

    ``selected`` are the requirements that are to be judged (None: all), ``options`` those
    of the command line, ``left_out`` the runs not made on purpose, with the reasons, and ``own``
    the user's list of known deviations; they and ``fail_on`` are for the record. ``enough`` says
    after each run whether no other need be made.
    """

    binary: Binary
    scenarios: tuple[Scenario, ...]
    deadline_s: float
    keep: Path | None
    allow_managed: bool = False
    explore: Exploration | None = None
    selected: tuple[str, ...] | None = None
    options: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    left_out: Mapping[str, str] = field(default_factory=dict)
    own: Listing = NO_LISTING
    fail_on: tuple[Impact, ...] = ()
    enough: Enough | None = None

    @property
    def plan(self) -> Plan:
        """The planned runs, as the record lists them."""
        return Plan(
            tuple(
                run.label
                for scenario in self.scenarios
                if not scenario.drawn
                for run in scenario.planned(self.protocols)
            ),
            tuple(scenario.name for scenario in self.scenarios if scenario.drawn and self.explore),
            self.selected,
            self.options,
            self.own if self.own.file else None,
            self.fail_on,
        )

    def header(self, started_unix_nano: int, summary: RecordingSummary) -> Header:
        """Return the header of this recording's record."""
        binary = self.binary
        return header_of(
            SubjectFacts(binary.spec, binary.path, binary.version),
            self.documents,
            summary,
            started_unix_nano,
        )


def header_of(
    subject: SubjectFacts,
    documents: tuple[str, ...],
    summary: RecordingSummary,
    started_unix_nano: int,
    job: str = CLAUDE,
    relay: RelayFacts | None = None,
) -> Header:
    """Return the header of a record that ends now, on this machine."""
    return Header(
        job=job,
        relay=relay,
        subject=subject,
        documents=documents,
        exports=dict(summary.exports),
        started_unix_nano=started_unix_nano,
        ended_unix_nano=time_ns(),
        recording_s=summary.seconds,
        runs=summary.lengths_s,
        unavoidable_s=summary.unavoidable_s,
        fuzz=summary.fuzz,
        tool=tool_version(),
        versions=library_versions(),
    )


def recorded(
    captures: Sequence[Capture],
    seconds: float = 0.0,
    undriven: Mapping[str, str] | None = None,
    skipped: Mapping[str, str] | None = None,
    fuzz: Fuzz | None = None,
    folders: Sequence[str] = (),
    remarks: Mapping[str, str] | None = None,
    again: Mapping[str, str] | None = None,
) -> Recording:
    """Return the recording that consists of these captures, which are kept in ``folders``.

    ``undriven``, ``skipped``, ``remarks`` and ``again`` are by the labels of runs.
    """
    arrived: Counter[str] = Counter()
    for capture in captures:
        arrived[capture.run.protocol.value] += sum(not is_exposed(e) for e in capture.exports)
    names = folders or ("",) * len(captures)
    runs = [
        RunSummary(
            capture.run.label,
            RunOutcome.RECORDED,
            _length_s(capture.run),
            (remarks or {}).get(capture.run.label, ""),
            folder,
            forgotten=capture.forgotten,
            unkept=len(capture.unkept),
            moments=moments_of(capture),
        )
        for capture, folder in zip(captures, names, strict=True)
    ]
    for outcome, reasons in ((RunOutcome.UNDRIVEN, undriven), (RunOutcome.SKIPPED, skipped)):
        runs += [RunSummary(label, outcome, reason=why) for label, why in (reasons or {}).items()]
    summary = RecordingSummary(
        seconds,
        tuple(runs),
        dict(arrived),
        unavoidable_s=_unavoidable_s(captures),
        fuzz=fuzz,
        unknown_requests=_runs_with(captures, lambda truth: truth.unknown_requests),
        again=again or {},
        reached=_runs_with(captures, lambda truth: truth.reached),
        unwatched=_runs_with(captures, lambda truth: filter(None, [truth.unwatched])),
    )
    return Recording(summary, tuple(captures))


def _runs_with(
    captures: Sequence[Capture], told: Callable[[GroundTruth], Iterable[str]]
) -> dict[str, int]:
    """Count the runs of which each text is told, the most frequent first."""
    counted = Counter(
        text for capture in captures for text in dict.fromkeys(told(capture.run.truth))
    )
    return dict(counted.most_common())


def _unavoidable_s(captures: Sequence[Capture]) -> float:
    """Return the longest time that a run had to wait, its start-up included.

    No run counts for more than its length; if none waits, this is the length of the longest run.
    """
    runs = [capture.run for capture in captures]
    waits = [
        min(SCENARIOS[run.scenario].waits_s + _start_s(run), _length_s(run))
        for run in runs
        if run.scenario in SCENARIOS and SCENARIOS[run.scenario].waits_s
    ]
    return max(waits or map(_length_s, runs), default=0.0)


def _length_s(run: Run) -> float:
    return _seconds(run.started_unix_nano, run.ended_unix_nano)


def _start_s(run: Run) -> float:
    """Return the seconds from the start of the process to its first API call."""
    asked = [call.arrived_unix_nano for call in run.truth.api_calls if call.arrived_unix_nano]
    return _seconds(run.started_unix_nano, min(asked)) if asked else 0.0


def _seconds(start_unix_nano: int, end_unix_nano: int) -> float:
    return (end_unix_nano - start_unix_nano) / 1e9


def record_once(plan: RecordingPlan, progress: Callable[[str], None]) -> Recording:
    """Run the subject through the scenarios, and return the recording.

    A HarnessError is reported in the recording's summary; Ctrl-C is raised.

    If captures are kept, their record is written twice: with the plan before the first
    run, so that an interrupted recording can be recognised, and when all runs have ended.
    """
    (made,) = record_together([plan], progress)
    return made


def record_together(
    plans: Sequence[RecordingPlan], progress: Callable[[str], None]
) -> tuple[Recording, ...]:
    """Record several subjects as :func:`record_once` does, side by side.

    A HarnessError is one of all of them.
    """
    began_unix_nano, started = time_ns(), monotonic_s()
    for plan in plans:
        _write(plan, began_unix_nano, None)
    try:
        done = record_side_by_side([_order(plan) for plan in plans], progress)
        took = monotonic_s() - started
        made = [_made(plan, each, took) for plan, each in zip(plans, done, strict=True)]
    except Exception as error:
        ours = error if isinstance(error, HarnessError) else want_of(error)
        if ours is None:
            raise
        fault = RecordingSummary(monotonic_s() - started, harness_fault=str(ours))
        made = [Recording(fault)] * len(plans)
    for plan, each in zip(plans, made, strict=True):
        _write(plan, began_unix_nano, each.summary)
    return tuple(replace(each, plan=plan.plan) for plan, each in zip(plans, made, strict=True))


def _order(plan: RecordingPlan) -> Order:
    return Order(
        plan.binary,
        plan.scenarios,
        plan.protocols,
        plan.deadline_s,
        plan.keep,
        plan.allow_managed,
        plan.explore,
        plan.enough,
    )


def _made(plan: RecordingPlan, done: Recorded, seconds: float) -> Recording:
    """Return the recording of what was run; captures that are to be kept are there afterwards."""
    folders: list[str] = []
    if plan.keep is not None:
        folders = list(_folders(done.captures))
        # What was drawn is saved here: only now is it known which of it is judged, and how.
        for capture, folder in zip(done.captures, folders, strict=True):
            if DRAWN in capture.run.traits:
                files.save(capture, plan.keep / folder)
    fuzz = plan.explore.tally if plan.explore and plan.explore.tally.sessions else None
    skipped = {**done.skipped, **plan.left_out}
    return recorded(done.captures, seconds, done.faults, skipped, fuzz, folders, again=done.again)


def record_shared(plan: RecordingPlan, progress: Callable[[str], None], folder: Path) -> Recording:
    """Record like :func:`record_once`, but once for all processes that share ``folder``."""
    return shared(plan.keep, lambda keep: record_once(replace(plan, keep=keep), progress), folder)


def shared(keep: Path | None, make: Callable[[Path], Recording], folder: Path) -> Recording:
    """Make a recording once for all processes that share ``folder``.

    The first one calls ``make`` with the folder for the captures, ``keep`` or one of its own,
    while the others wait for it; they load what it saved.
    """
    with FileLock(folder / "lock"):
        there = read_shared(folder)
        if there is not None:
            return there
        keep = keep or folder / "captures"
        keep.mkdir(exist_ok=True)
        made = make(keep)
        (folder / _KEPT_IN).write_text(str(keep), encoding="utf-8")
        return made


#: Names the folder of the captures, once all are there.
_KEPT_IN = "kept-in"


def kept_in(folder: Path) -> Path | None:
    """Return where the captures are that processes share in ``folder``; None until all are."""
    try:
        return Path((folder / _KEPT_IN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_shared(folder: Path) -> Recording | None:
    """Load the recording that processes share in ``folder``; None as long as there is none."""
    keep = kept_in(folder)
    if keep is None:
        return None
    shared_record = jsonl.read_part(keep / jsonl.FILE_NAME)
    summary = shared_record.recording
    assert summary is not None, "the record is complete before it is shared"
    captures = tuple(files.load(keep / run.folder) for run in summary.recorded)
    return Recording(summary, captures, shared_record.plan)


def _write(plan: RecordingPlan, began_unix_nano: int, summary: RecordingSummary | None) -> None:
    if plan.keep is None:
        return
    header = plan.header(began_unix_nano, summary or RecordingSummary())
    jsonl.write(plan.keep / jsonl.FILE_NAME, RunRecord(header, plan.plan, summary))


def _folders(captures: Sequence[Capture]) -> Iterator[str]:
    """Yield the name of each capture's folder; drawn runs of one scenario are numbered."""
    drawn: Counter[str] = Counter()
    for capture in captures:
        name = files.folder_name(capture.run)
        if DRAWN in capture.run.traits:
            drawn[name] += 1
            name = f"{name}-{drawn[name]}"
        yield name
