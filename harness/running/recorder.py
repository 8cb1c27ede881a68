"""Run scenarios side by side against the fakes, and collect their captures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import shortage
from ..capture.capture import Capture
from ..collector.store import Budget
from ..errors import NotInTimeError, OursTooLateError, SubjectError
from ..otlp.model import Protocol
from ..progress import SoFar, Telling, every_s, over
from ..subject import managed
from ..subject.binary import Binary
from ..subject.headless import PERMISSIONS
from ..subject.process import ProcessGroups
from .brought import Folder, bring
from .crowding import CrowdingWatch
from .drive import drive
from .plan import label, planned
from .runner import Runner
from .scenario import Scenario, Script
from .shortages import ShortageWatch

#: Runs side by side for each core, but for those that wait: a subject waits for its
#: retries and its screen about as long as it computes.  With more of them each takes
#: more of a core for the same work (measured: a third more with eight).
_RUNS_PER_CORE = 2

#: So many for each core wait side by side, those that wait longest first: all of them at
#: once would take from each other, and from what they time, when they start.
_WAITING_PER_CORE = 4

#: So many runs that came too late are made once more. Where more did, the subject hangs.
_MOST_AGAIN = 3

#: So many are made once more for which something of ours came too late: where more are, the machine
#: has too much to do for any of them.
_MOST_AGAIN_OF_OURS = 12

#: More runs than are ever made side by side.
_MANY = 1000

#: Runs one drawn scenario, from whichever thread; raises SubjectError as ``drive`` does.
RunDrawn = Callable[[Scenario, Protocol], Capture]

#: Is handed a :data:`RunDrawn` and whether others are still under way, and returns those
#: captures that are to be kept.
Explore = Callable[[RunDrawn, Callable[[], bool]], Sequence[Capture]]


#: Is handed each run that has ended, and says why no other need be made; an empty text goes on.
Enough = Callable[[Capture | SubjectError], str]


class _EnoughError(Exception):
    """The exception that ends a recording before all runs were made; its text says why."""


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


@dataclass(frozen=True, slots=True)
class Order:
    """What to run one subject through, and how.

    ``scenarios`` start in their order: the longest should come first. They are run over those of
    their protocols that are in ``protocols``, each for ``deadline_s`` at most. ``keep`` is a folder
    in which each capture is saved as soon as its run has ended; what was saved there survives an
    interruption. ``allow_managed``: where a run cannot have managed settings of its own, they
    may be written to the machine's own folder; such a run then runs alone, after all others.

    A run that came too late is made once more after the others, beside less other work: what a
    driver or a subject misses on a busy machine says nothing about the subject.

    A drawn scenario is not run itself: ``explore`` (None: nothing) makes the runs that it
    stands for, at the same time as the last of the others.

    ``enough`` (None: nobody asks) ends all recordings early; runs that were not made then, or not
    to their end, are skipped, each with what it said.
    """

    binary: Binary
    scenarios: Sequence[Scenario]
    protocols: Sequence[Protocol] = tuple(Protocol)
    deadline_s: float = 60.0
    keep: Path | None = None
    allow_managed: bool = False
    explore: Explore | None = None
    enough: Enough | None = None


def record(
    binary: Binary,
    *,
    scenarios: Sequence[Scenario],
    progress: Callable[[str], None],
    **how: Any,
) -> Recorded:
    """Run one subject through its scenarios, side by side; ``how`` are fields of an Order."""
    (recorded,) = record_side_by_side([Order(binary, scenarios, **how)], progress)
    return recorded


def record_side_by_side(
    orders: Sequence[Order], progress: Callable[[str], None]
) -> tuple[Recorded, ...]:
    """Run several subjects through their scenarios, all of them in the same threads.

    Runs that wait start before all others, and have threads of their own. ``progress`` is called
    with a line at the start and, while runs are under way, with a :class:`SoFar` every ten
    seconds, or as often as its ``every_s`` says. However this function ends, no subject is
    left running.
    """
    folders = [order.keep for order in orders]
    shortage.check_space(folders)
    with CrowdingWatch() as watch, ShortageWatch(folders) as shortages:
        budget = Budget()
        recordings = [_Recording(order, watch, budget) for order in orders]
        for recording in recordings:
            progress(str(recording))

        def still_running(so_far: SoFar) -> None:
            shortages.check()
            progress(so_far)

        begun = [each for each in recordings if each.is_anything]
        waits = {name: wait_s for each in begun for name, wait_s in each.waits.items()}
        try:
            _run_all(begun, Telling(still_running, every_s(progress), waits))
        finally:
            over(progress)
        shortages.check()
    return tuple(recording.collected() for recording in recordings)


def _run_all(recordings: Sequence[_Recording], telling: Telling) -> None:
    """Make all runs; if that is interrupted, end every subject."""
    if not recordings:
        return
    cores = os.cpu_count() or 1
    waiting = _WAITING_PER_CORE * cores * len(recordings)
    others = _RUNS_PER_CORE * cores
    shortage.check_descriptors(
        min(waiting, sum(each.waiting for each in recordings))
        + min(others, sum(each.not_waiting for each in recordings))
    )
    # A run that waits takes nobody's turn, and begins first: others run while it does.
    pools = _Pools(
        ThreadPoolExecutor(waiting, thread_name_prefix="waiting"),
        ThreadPoolExecutor(others, thread_name_prefix="scenario"),
    )
    with pools.waiters, pools.others:
        try:
            labels: dict[Future[Any], str] = {}
            for recording in recordings:
                labels |= recording.start_together(pools)
            # Last in the queue: its turn comes when all others have begun.
            for recording in recordings:
                labels |= recording.start_exploring(pools)
            _await(labels, telling, recordings)
            for recording in recordings:
                recording.run_alone(pools, telling)
            again: dict[Future[Any], str] = {}
            for recording in recordings:
                again |= recording.start_again(pools)
            _await(again, telling, recordings)
        except BaseException as error:
            for pool in (pools.waiters, pools.others):
                pool.shutdown(wait=False, cancel_futures=True)
            for recording in recordings:
                recording.end_all(str(error))
            if not isinstance(error, _EnoughError):
                raise


@dataclass(frozen=True, slots=True)
class _Pools:
    """The threads in which runs are made: of those that wait, and of all others."""

    waiters: ThreadPoolExecutor
    others: ThreadPoolExecutor


class _Recording:
    """The execution of one subject's plan: its runs in threads, and their results."""

    def __init__(self, order: Order, watch: CrowdingWatch, budget: Budget) -> None:
        binary, keep, allowed = order.binary, order.keep, order.allow_managed
        self._plan = planned(order.scenarios, order.protocols, allowed)
        self._explore = order.explore if self._plan.drawn else None
        machine_wide = managed.machine_wide(allowed=allowed)
        self._runner = Runner(binary, order.deadline_s, keep, machine_wide, watch, budget)
        self._futures: dict[Future[Capture], int] = {}
        self._again: dict[str, str] = {}
        self._explored: Future[Sequence[Capture]] | None = None
        self._enough = order.enough
        self._stopped = ""
        #: What had ended by itself when the recording was ended.
        self._before: frozenset[Future[Any]] = frozenset()

    def __str__(self) -> str:
        """Summarise the planned runs for the progress line."""
        return f"running claude {self._runner.binary.version} {self._plan}"

    @property
    def is_anything(self) -> bool:
        """Say whether there is a run to be made."""
        return bool(self._plan.runs) or self._explore is not None

    @property
    def waiting(self) -> int:
        """The number of runs that wait."""
        return sum(scenario.waits_s > 0 for scenario, _ in self._plan.runs)

    @property
    def waits(self) -> dict[str, float]:
        """The seconds that runs have to wait, by their labels."""
        return {label(run): run[0].waits_s for run in self._plan.runs if run[0].waits_s > 0}

    @property
    def not_waiting(self) -> int:
        """The number of runs that do not wait; drawn input makes any number of them."""
        return len(self._plan.runs) - self.waiting + (_MANY if self._explore is not None else 0)

    def end_all(self, why: str) -> None:
        """End every process that is still running, and begin no other."""
        self._stopped = why
        begun = [*self._futures, *([self._explored] if self._explored else ())]
        self._before = frozenset(future for future in begun if future.done())
        self._runner.groups.end_all()

    def look_at(self, future: Future[Any]) -> None:
        """Ask whether this run, which has ended, was enough.  Raises _EnoughError if it was."""
        ours = future in self._futures or future is self._explored
        if self._enough is None or not ours:
            return
        error = future.exception()
        if isinstance(error, NotInTimeError):
            return  # it is made once more
        assert error is None or isinstance(error, SubjectError), "others have been raised"
        made = error or future.result()
        for each in made if isinstance(made, Sequence) else [made]:
            if why := self._enough(each):
                raise _EnoughError(why)

    def collected(self) -> Recorded:
        """Return the captures and faults of the runs, once all have ended."""
        captures: list[Capture] = []
        faults: dict[str, str] = {}
        skipped = dict(self._plan.skipped)
        for future, index in sorted(self._futures.items(), key=lambda started: started[1]):
            if self._is_left_out(future):
                continue
            fault = future.exception()
            if fault is None:
                captures.append(future.result())
            elif isinstance(fault, SubjectError):
                faults[self._label(index)] = str(fault)
            else:
                raise fault
        if self._stopped:
            known = {capture.run.label for capture in captures} | faults.keys() | skipped.keys()
            labels = map(self._label, range(len(self._plan.runs)))
            skipped |= {each: self._stopped for each in labels if each not in known}
        if self._explored is not None and not self._is_left_out(self._explored):
            fault = self._explored.exception()
            if fault is None:
                captures += self._explored.result()
            else:
                faults |= dict.fromkeys(self._drawn_labels, str(fault))
        elif self._explored is not None:
            skipped |= dict.fromkeys(self._drawn_labels, self._stopped)
        return Recorded(tuple(captures), faults, skipped, self._again)

    @property
    def _drawn_labels(self) -> list[str]:
        return [label((each, over)) for each in self._plan.drawn for over in self._plan.protocols]

    def _is_left_out(self, future: Future[Any]) -> bool:
        """Say whether a run was not begun, or was ended by us; what it did says nothing then."""
        if not self._stopped:
            return False
        return future.cancelled() or (
            future not in self._before and isinstance(future.exception(), SubjectError)
        )

    def start_together(self, pools: _Pools) -> dict[Future[Any], str]:
        """Start the runs that may be made side by side; return them with their labels."""
        indices = [index for index in range(len(self._plan.runs)) if not self._must_be_alone(index)]
        # Those that wait longest begin first.
        for index in sorted(indices, key=lambda index: -self._plan.runs[index][0].waits_s):
            self._start(pools, index)
        return {future: self._label(index) for future, index in self._futures.items()}

    def start_exploring(self, pools: _Pools) -> dict[Future[Any], str]:
        """Start the runs with drawn input, if there are any."""
        if self._explore is None:
            return {}
        self._explored = pools.others.submit(self._explore, self._runner.drawn, self._others_wait)
        return {self._explored: "drawn input"}

    def run_alone(self, pools: _Pools, telling: Telling) -> None:
        """Make the runs that must be alone, one after another."""
        for index in filter(self._must_be_alone, range(len(self._plan.runs))):
            _await({self._start(pools, index): self._label(index)}, telling, [self])

    def start_again(self, pools: _Pools) -> dict[Future[Any], str]:
        """Start the runs that came too late once more; return them with their labels."""
        late = {
            future: error
            for future in self._futures
            if isinstance(error := future.exception(), NotInTimeError)
        }
        ours = {run for run, error in late.items() if isinstance(error, OursTooLateError)}
        for kind, most in ((ours, _MOST_AGAIN_OF_OURS), (late.keys() - ours, _MOST_AGAIN)):
            if len(kind) > most:
                late = {run: error for run, error in late.items() if run not in kind}
        labels: dict[Future[Any], str] = {}
        for first, error in late.items():
            index = self._futures.pop(first)
            self._again[self._label(index)] = str(error).splitlines()[0]
            labels[self._start(pools, index)] = self._label(index)
        return labels

    def _start(self, pools: _Pools, index: int) -> Future[Capture]:
        scenario, protocol = self._plan.runs[index]
        pool = pools.waiters if scenario.waits_s > 0 else pools.others
        future = pool.submit(self._runner.one, scenario, protocol)
        self._futures[future] = index
        return future

    def _label(self, index: int) -> str:
        return label(self._plan.runs[index])

    def _must_be_alone(self, index: int) -> bool:
        return self._runner.machine_wide and bool(self._plan.runs[index][0].managed)

    def _others_wait(self) -> bool:
        return not all(future.done() for future in tuple(self._futures))


def run_session(
    binary: Binary,
    *,
    prompt: str,
    script: Script,
    protocol: Protocol,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    plugins: Sequence[Folder] = (),
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
        prepare=bring(settings or {}, plugins),
    )
    groups = ProcessGroups()
    try:
        return drive(binary, scenario, protocol, deadline_s, groups)
    finally:
        groups.end_all()


def _await(
    futures: Mapping[Future[Any], str], telling: Telling, recordings: Sequence[_Recording]
) -> None:
    """Wait for all ``futures``, telling which are still running; raise what is no SubjectError."""
    for future in telling.until_ended(futures):
        error = future.exception()
        if error is not None and not isinstance(error, SubjectError):
            raise error
        for recording in recordings:
            recording.look_at(future)
