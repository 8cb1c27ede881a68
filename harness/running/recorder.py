"""Run scenarios side by side against the fakes, and collect their captures."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.capture.capture import Capture
from harness.capture.files import folder_name, save
from harness.capture.run import CROWDED, run_label
from harness.errors import NotInTimeError, SubjectError
from harness.otlp.model import Protocol
from harness.running.crowding import CrowdingWatch
from harness.running.drive import drive
from harness.running.scenario import Scenario, Script
from harness.running.secrets import with_words
from harness.subject import managed
from harness.subject.binary import Binary
from harness.subject.headless import PERMISSIONS
from harness.subject.process import ProcessGroups

#: Seconds between two lines of progress while subjects run.
_PROGRESS_S = 5.0

#: The progress line names at most so many scenarios; of more, it gives the number.
_MOST_NAMED = 8

#: Runs side by side for each core, but for those that wait: a subject waits for its
#: retries and its screen about as long as it computes.  With more of them each takes
#: more of a core for the same work (measured: a third more with eight).
_RUNS_PER_CORE = 2

#: So many for each core wait side by side, those that wait longest first: all of them at
#: once would take from each other, and from what they time, when they start.
_WAITING_PER_CORE = 4


#: So many runs that came too late are made once more. Where more did, the subject hangs.
_MOST_AGAIN = 3

#: Runs one drawn scenario, from whichever thread; raises SubjectError as ``drive`` does.
RunDrawn = Callable[[Scenario, Protocol], Capture]

#: Is handed a :data:`RunDrawn` and whether others are still under way, and returns those
#: captures that are to be kept.
Explore = Callable[[RunDrawn, Callable[[], bool]], Sequence[Capture]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Captures and faults of all runs, in the order of the scenarios.

    ``faults`` maps each run that could not be driven to its end (``working_day over
    grpc``) to the reason, ``skipped`` each run that is impossible on this machine, and
    ``again`` each run that was made a second time to what came too late in the first.
    """

    captures: tuple[Capture, ...]
    faults: Mapping[str, str]
    skipped: Mapping[str, str] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)


def record(
    binary: Binary,
    *,
    protocols: Sequence[Protocol] = tuple(Protocol),
    scenarios: Sequence[Scenario],
    progress: Callable[[str], None],
    deadline_s: float = 60.0,
    keep: Path | None = None,
    allow_managed: bool = False,
    explore: Explore | None = None,
) -> Recorded:
    """Run every scenario over those of its protocols that are in ``protocols``, side by side.

    They start in the order of ``scenarios``: the longest should come first. Those that
    wait start before all others, and have threads of their own.
    ``progress`` is called with a line at the start and every few seconds. ``keep`` is a
    folder in which each capture is saved as soon as its run has ended; what was
    saved there survives an interruption. However this function ends, no subject is
    left running. ``allow_managed``: where a run cannot have managed settings of its own, they
    may be written to the machine's own folder; such a run then runs alone, after all others.

    A run that came too late is made once more after the others, beside less other work: what a
    driver or a subject misses on a busy machine says nothing about the subject.

    A drawn scenario is not run itself: ``explore`` (None: nothing) makes the runs that it
    stands for, at the same time as the last of the others.
    """
    plan = _planned(scenarios, protocols, allow_managed)
    progress(f"running claude {binary.version} {plan}")
    explore = explore if plan.drawn else None
    if not plan.runs and explore is None:
        return Recorded((), {}, plan.skipped)
    machine_wide = managed.machine_wide(allowed=allow_managed)
    with CrowdingWatch() as watch:
        runner = _Runner(binary, deadline_s, keep, machine_wide, watch)
        recording = _Recording(plan, runner, explore, progress)
        recording.run()
    return recording.collected()


#: One run to be made.
_Planned = tuple[Scenario, Protocol]


@dataclass(frozen=True, slots=True)
class _Plan:
    """All runs to be made, and those that cannot be.

    ``runs`` are made one by one, ``skipped`` cannot be made on this machine, and ``drawn``
    scenarios stand for runs that are drawn; ``scenarios`` are all others.
    """

    scenarios: tuple[Scenario, ...]
    drawn: tuple[Scenario, ...]
    protocols: tuple[Protocol, ...]
    runs: tuple[_Planned, ...]
    skipped: Mapping[str, str]

    def __str__(self) -> str:
        """Summarise the planned runs for the progress line."""
        names = ", ".join(scenario.name for scenario in self.scenarios)
        if len(self.scenarios) > _MOST_NAMED:
            names = f"{len(self.scenarios)} scenarios"
        return f"{len(self.runs)} times over {', '.join(self.protocols)}: {names}"


def _planned(
    scenarios: Sequence[Scenario], protocols: Sequence[Protocol], allow_managed: bool
) -> _Plan:
    drawn = tuple(scenario for scenario in scenarios if scenario.drawn)
    others = tuple(scenario for scenario in scenarios if not scenario.drawn)
    reasons = {
        scenario.name: why
        for scenario in others
        if (why := _skip_reason(scenario, allow_managed)) is not None
    }
    wanted = [
        (scenario, protocol)
        for scenario in others
        for protocol in scenario.protocols
        if protocol in protocols
    ]
    skipped = {_label(run): reasons[run[0].name] for run in wanted if run[0].name in reasons}
    runs = tuple(run for run in wanted if _label(run) not in skipped)
    return _Plan(others, drawn, tuple(protocols), runs, skipped)


@dataclass(slots=True)
class _Runner:
    """Makes single runs in the calling thread, and saves their captures."""

    binary: Binary
    deadline_s: float
    keep: Path | None
    machine_wide: bool
    watch: CrowdingWatch
    groups: ProcessGroups = field(default_factory=ProcessGroups)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def one(self, scenario: Scenario, protocol: Protocol) -> Capture:
        """Run a scenario over a protocol, and save its capture."""
        capture = self._drive(scenario, protocol)
        if self.keep is not None:
            with self._saving:
                save(capture, self.keep / folder_name(capture.run))
        return capture

    def drawn(self, scenario: Scenario, protocol: Protocol) -> Capture:
        """Run a drawn scenario once, without saving its capture (a :data:`RunDrawn`)."""
        if self.groups.cancelled:
            raise SubjectError("no more sessions are begun")
        # Whether it is judged, and how, is known later: it is saved then.
        return self._drive(scenario, protocol)

    def _drive(self, scenario: Scenario, protocol: Protocol) -> Capture:
        started_unix_nano = time.time_ns()
        try:
            capture = drive(
                self.binary,
                with_words(scenario, protocol),
                protocol,
                self.deadline_s,
                self.groups,
                machine_wide=self.machine_wide,
            )
        except SubjectError as error:
            crowding = self.watch.between(started_unix_nano, time.time_ns())
            if crowding <= CROWDED:
                raise
            busy = f"the machine was busy: {crowding:g} processes per core wanted to run"
            raise type(error)(f"{error}\n{busy}") from error
        run = capture.run
        crowding = self.watch.between(run.started_unix_nano, run.ended_unix_nano)
        return replace(capture, run=replace(run, crowding=crowding))


class _Recording:
    """The execution of a plan: its runs in thread pools, and their results."""

    def __init__(
        self,
        plan: _Plan,
        runner: _Runner,
        explore: Explore | None,
        progress: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._runner = runner
        self._explore = explore
        self._progress = progress
        self._futures: dict[Future[Capture], int] = {}
        self._again: dict[str, str] = {}
        self._explored: Future[Sequence[Capture]] | None = None
        # A run that waits takes nobody's turn, and begins first: others run while it does.
        cores = os.cpu_count() or 1
        self._waiters = ThreadPoolExecutor(_WAITING_PER_CORE * cores, thread_name_prefix="waiting")
        self._pool = ThreadPoolExecutor(_RUNS_PER_CORE * cores, thread_name_prefix="scenario")

    def run(self) -> None:
        """Make all runs; if that is interrupted, end every subject."""
        with self._waiters, self._pool:
            try:
                self._run_together()
                self._run_alone()
                self._run_again()
            except BaseException:
                for pool in (self._waiters, self._pool):
                    pool.shutdown(wait=False, cancel_futures=True)
                self._runner.groups.end_all()
                raise

    def collected(self) -> Recorded:
        """Return the captures and faults of the runs, once all have ended."""
        captures: list[Capture] = []
        faults: dict[str, str] = {}
        for future, index in sorted(self._futures.items(), key=lambda started: started[1]):
            fault = future.exception()
            if fault is None:
                captures.append(future.result())
            elif isinstance(fault, SubjectError):
                faults[_label(self._plan.runs[index])] = str(fault)
            else:
                raise fault
        if self._explored is not None:
            fault = self._explored.exception()
            if fault is None:
                captures += self._explored.result()
            else:
                for scenario in self._plan.drawn:
                    for over in self._plan.protocols:
                        faults[_label((scenario, over))] = str(fault)
        return Recorded(tuple(captures), faults, self._plan.skipped, self._again)

    def _run_together(self) -> None:
        indices = [index for index in range(len(self._plan.runs)) if not self._must_be_alone(index)]
        # Those that wait longest begin first.
        for index in sorted(indices, key=lambda index: -self._plan.runs[index][0].waits_s):
            self._start(index)
        labels: dict[Future[Any], str] = {
            future: _label(self._plan.runs[index]) for future, index in self._futures.items()
        }
        if self._explore is not None:
            # Last in the queue: its turn comes when all others have begun.
            self._explored = self._pool.submit(self._explore, self._runner.drawn, self._others_wait)
            labels[self._explored] = "drawn input"
        _await(labels, self._progress)

    def _run_alone(self) -> None:
        for index in filter(self._must_be_alone, range(len(self._plan.runs))):
            _await({self._start(index): _label(self._plan.runs[index])}, self._progress)

    def _run_again(self) -> None:
        late = {
            future: error
            for future in self._futures
            if isinstance(error := future.exception(), NotInTimeError)
        }
        if len(late) > _MOST_AGAIN:
            return
        labels: dict[Future[Any], str] = {}
        for first, error in late.items():
            index = self._futures.pop(first)
            label = _label(self._plan.runs[index])
            self._again[label] = str(error).splitlines()[0]
            labels[self._start(index)] = label
        _await(labels, self._progress)

    def _start(self, index: int) -> Future[Capture]:
        scenario, protocol = self._plan.runs[index]
        pool = self._waiters if scenario.waits_s > 0 else self._pool
        future = pool.submit(self._runner.one, scenario, protocol)
        self._futures[future] = index
        return future

    def _must_be_alone(self, index: int) -> bool:
        return self._runner.machine_wide and bool(self._plan.runs[index][0].managed)

    def _others_wait(self) -> bool:
        return not all(future.done() for future in tuple(self._futures))


def _skip_reason(scenario: Scenario, allow_managed: bool) -> str | None:
    why = managed.skip_reason(allowed=allow_managed) if scenario.managed else None
    return why or (scenario.skip_reason() if scenario.skip_reason else None)


def _label(run: _Planned) -> str:
    scenario, protocol = run
    return run_label(scenario.name, protocol)


def run_session(
    binary: Binary,
    *,
    prompt: str,
    script: Script,
    protocol: Protocol,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    args: Sequence[str] = PERMISSIONS,
    deadline_s: float = 60.0,
) -> Capture:
    """Run one session with the caller's own prompt and script, in the calling thread."""
    scenario = Scenario(
        name="session",
        description="A session that a test of its own drives",
        prompt=prompt,
        script=script,
        environment=env or {},
        files=files or {},
        args=tuple(args),
    )
    groups = ProcessGroups()
    try:
        return drive(binary, scenario, protocol, deadline_s, groups)
    finally:
        groups.end_all()


def _await(futures: Mapping[Future[Any], str], progress: Callable[[str], None]) -> None:
    """Wait for all ``futures``, reporting the ones still running; raise what is no SubjectError."""
    pending = set(futures)
    waited = 0.0
    while pending:
        done, pending = wait(pending, timeout=_PROGRESS_S, return_when=FIRST_COMPLETED)
        for future in done:
            error = future.exception()
            if error is not None and not isinstance(error, SubjectError):
                raise error
        if not done:
            waited += _PROGRESS_S
            progress(
                f"still running after {waited:.0f} s: "
                + ", ".join(sorted(futures[future] for future in pending if future.running()))
            )
