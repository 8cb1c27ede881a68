"""Run scenarios against our fakes, side by side, and keep what they leave."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.capture.capture import Capture
from harness.capture.files import folder_name, save
from harness.errors import SubjectError
from harness.otlp.model import Protocol
from harness.running.drive import drive
from harness.running.scenario import Scenario, Script
from harness.subject import managed
from harness.subject.binary import Binary
from harness.subject.headless import PERMISSIONS
from harness.subject.process import Leash

#: Seconds between two lines of progress while subjects run.
_PROGRESS_S = 5.0

#: So many scenarios are named when they begin; of more, only the number is told.
_TOLD_BY_NAME = 8

#: Runs side by side for each core, but for those that wait: a subject waits for its
#: retries and its screen about as long as it computes.  With more of them each takes
#: more of a core for the same work (measured: a third more with eight).
_RUNS_PER_CORE = 2

#: So many for each core wait side by side, those that wait longest first: all of them at
#: once would take from each other, and from what they time, when they start.
_WAITING_PER_CORE = 4


#: Runs one drawn scenario, from whichever thread; raises SubjectError as ``drive`` does.
RunDrawn = Callable[[Scenario, Protocol], Capture]

#: Is handed a :data:`RunDrawn` and whether others are still under way, and returns those
#: captures that are to be kept.
Explore = Callable[[RunDrawn, Callable[[], bool]], Sequence[Capture]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the runs left, in the order of the scenarios.  ``faults`` holds, for each run
    that could not be driven to its end (``working_day over grpc``), why not, ``hindered``
    the same for those that cannot be made on this machine."""

    captures: tuple[Capture, ...]
    faults: Mapping[str, str]
    hindered: Mapping[str, str] = field(default_factory=dict)


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
    """Run every scenario over each of its protocols (``protocols`` only), side by side.

    They start in the order of ``scenarios``: the longest should come first.  Those that
    wait start before all others, and have workers of their own.
    ``progress`` gets a line at the start and every few seconds.  ``keep`` is a
    folder in which each capture is saved as soon as its run has ended; what was
    saved there survives an interruption.  On the way out, whatever the reason,
    no subject is left running.  ``allow_managed``: where a run cannot have managed
    settings of its own, they may be the machine's while it goes on, alone, after all others.

    A drawn scenario is not run as it is: ``explore`` (None: nobody) makes the runs that it
    stands for, beside the last of the others.
    """
    drawn = [scenario for scenario in scenarios if scenario.drawn]
    scenarios = [scenario for scenario in scenarios if not scenario.drawn]
    hindrances = {each.name: _hindrance(each, allow_managed) for each in scenarios}
    wanted = [
        (scenario, protocol)
        for scenario in scenarios
        for protocol in scenario.protocols
        if protocol in protocols
    ]
    hindered = {
        _label(scenario, protocol): hindrances[scenario.name]
        for scenario, protocol in wanted
        if hindrances[scenario.name]
    }
    runs = [pair for pair in wanted if _label(*pair) not in hindered]
    progress(
        f"running claude {binary.version} {len(runs)} times over {', '.join(protocols)}: "
        + (
            ", ".join(scenario.name for scenario in scenarios)
            if len(scenarios) <= _TOLD_BY_NAME
            else f"{len(scenarios)} scenarios"
        )
    )
    explore = explore if drawn else None
    if not runs and explore is None:
        return Recorded((), {}, hindered)
    machine_wide = managed.machine_wide(allowed=allow_managed)
    alone = [place for place, (each, _) in enumerate(runs) if machine_wide and each.managed]
    together = sorted(
        (place for place in range(len(runs)) if place not in alone),
        key=lambda place: -runs[place][0].patience_s,
    )
    leash = Leash()
    # A run that waits takes nobody's turn, and begins first: others run while it does.
    cores = os.cpu_count() or 1
    with (
        ThreadPoolExecutor(_WAITING_PER_CORE * cores, thread_name_prefix="waiting") as waiters,
        ThreadPoolExecutor(_RUNS_PER_CORE * cores, thread_name_prefix="scenario") as pool,
    ):

        def start(place: int) -> Future[Capture]:
            scenario, protocol = runs[place]
            return (waiters if _waits(runs[place]) else pool).submit(
                _record_one, binary, scenario, protocol, deadline_s, leash, keep, machine_wide
            )

        def run_drawn(scenario: Scenario, protocol: Protocol) -> Capture:
            if leash.pulled:
                raise SubjectError("no more sessions are begun")
            # Whether it is judged, and how, is known later: it is saved then.
            return _record_one(binary, scenario, protocol, deadline_s, leash, None, machine_wide)

        def others_wait() -> bool:
            return not all(future.done() for future in tuple(futures))

        futures: dict[Future[Capture], int] = {}
        explored: Future[Sequence[Capture]] | None = None
        try:
            futures |= {start(place): place for place in together}
            labels: dict[Future[Any], str] = {
                future: _label(*runs[place]) for future, place in futures.items()
            }
            if explore is not None:
                # Last in the queue: its turn comes when all others have begun.
                explored = pool.submit(explore, run_drawn, others_wait)
                labels[explored] = "drawn input"
            _await(labels, progress)
            for place in alone:
                future = start(place)
                futures[future] = place
                _await({future: _label(*runs[place])}, progress)
        except BaseException:
            for each in (waiters, pool):
                each.shutdown(wait=False, cancel_futures=True)
            leash.end_all()
            raise
    captures, faults = [], {}
    for future, place in sorted(futures.items(), key=lambda started: started[1]):
        fault = future.exception()
        if fault is None:
            captures.append(future.result())
        elif isinstance(fault, SubjectError):
            faults[_label(*runs[place])] = str(fault)
        else:
            raise fault
    if explored is not None:
        fault = explored.exception()
        if fault is None:
            captures += explored.result()
        else:
            faults |= {_label(each, over): str(fault) for each in drawn for over in protocols}
    return Recorded(tuple(captures), faults, hindered)


def _waits(run: tuple[Scenario, Protocol]) -> bool:
    return run[0].patience_s > 0


def _hindrance(scenario: Scenario, allow_managed: bool) -> str:
    why = managed.hindrance(allowed=allow_managed) if scenario.managed else ""
    return why or (scenario.hindrance() if scenario.hindrance else "")


def _label(scenario: Scenario, protocol: Protocol) -> str:
    return f"{scenario.name} over {protocol}"


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
    """Run one session of the caller's own making in the calling thread."""
    scenario = Scenario(
        name="session",
        says="A session that a test of its own drives",
        prompt=prompt,
        script=script,
        environment=env or {},
        files=files or {},
        args=tuple(args),
    )
    leash = Leash()
    try:
        return drive(binary, scenario, protocol, deadline_s, leash)
    finally:
        leash.end_all()


def _await(futures: Mapping[Future[Any], str], progress: Callable[[str], None]) -> None:
    """Wait for all of them, telling what is still awaited; a fault of ours ends the wait."""
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
                + ", ".join(sorted(futures[each] for each in pending if each.running()))
            )


_SAVING = threading.Lock()


def _record_one(
    binary: Binary,
    scenario: Scenario,
    protocol: Protocol,
    deadline_s: float,
    leash: Leash,
    keep: Path | None,
    machine_wide: bool,
) -> Capture:
    capture = drive(binary, scenario, protocol, deadline_s, leash, machine_wide=machine_wide)
    if keep is not None:
        with _SAVING:
            save(capture, keep / folder_name(capture.run))
    return capture
