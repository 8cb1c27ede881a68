"""Run scenarios against a collector under test, and make the captures of what came out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..capture.capture import Capture
from ..capture.files import folder_name, save
from ..capture.observed import Observation, as_observed
from ..capture.run import Run, SubjectFacts, run_label
from ..clock import time_ns
from ..contract.applicability import WITHOUT_OUTLET
from ..errors import SubjectError
from ..otlp.model import Protocol
from ..progress import Telling, every_s, over
from .outlets.base import Outlet
from .outlets.otlp import OtlpOutlet
from .process import CollectorFault
from .replay import secrets_of
from .scenario import RelayScenario
from .sending import endpoint_for
from .stage import SHOWING_SUMS, RelayStage
from .target import Started, Target, started

#: So many collectors run side by side, each for one run.
_SIDE_BY_SIDE = 2 * (os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What is sent to which collector, and where it is looked at.

    ``outlets`` makes the outlets of one run. ``sessions`` are the recordings to send,
    ``observations`` go into each run whose telemetry is to pass through, ``settle_s`` is for how
    long nothing may have come out before it counts as all that will. ``look`` returns what is to
    be told of the outlets at the end of a run, ``read_log`` what the collector's log tells.
    ``give_up`` ends what runs wait for, where they are interrupted.
    """

    target: Target
    subject: SubjectFacts
    scenarios: tuple[RelayScenario, ...]
    protocols: tuple[Protocol, ...]
    outlets: Callable[[], Sequence[Outlet]]
    sessions: tuple[Capture, ...]
    settle_s: float
    observations: tuple[Observation, ...] = ()
    look: Callable[[Sequence[Outlet]], tuple[Observation, ...]] = lambda outlets: ()
    read_log: Callable[[Iterable[str]], tuple[Observation, ...]] = lambda lines: ()
    keep: Path | None = None
    give_up: Callable[[], None] = lambda: None

    def runs(self) -> Iterator[tuple[RelayScenario, Protocol]]:
        """Yield the runs that are to be made, or skipped with a reason."""
        for scenario in self.scenarios:
            wanted = [each for each in scenario.protocols if each in self.protocols]
            if scenario.once:
                wanted = ([each for each in wanted if _takes(self.target, each)] or wanted)[:1]
            for protocol in wanted:
                yield scenario, protocol


@dataclass(frozen=True, slots=True)
class RelayRecorded:
    """The captures of all runs that were made; the others by their labels, with the reasons.

    ``faults`` could not be made to their end, ``skipped`` were not begun. ``remarks`` are about
    runs that were made.
    """

    captures: tuple[Capture, ...]
    faults: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of one run: its capture, or the fault; and what else is to be said of it."""

    capture: Capture | None = None
    fault: str = ""
    remark: str = ""


def record_relay(plan: RelayPlan, progress: Callable[[str], None]) -> RelayRecorded:
    """Make every run of the plan, and return the captures.

    A collector that is a process of ours is started anew for each run, and several run side by
    side; one that runs already gets one run after the other.

    Raises CollectorFault if it cannot be used at all, UsageError for unusable options. What goes
    wrong later on is a fault of that run only.
    """
    runs, skipped = [], {}
    for scenario, protocol in plan.runs():
        why = _skip_reason(plan, scenario, protocol)
        if why:
            skipped[run_label(scenario.name, protocol)] = why
        else:
            runs.append((scenario, protocol))
    progress(f"{len(runs)} runs through {plan.target.spec}")
    workers = min(_SIDE_BY_SIDE, len(runs)) if plan.target.is_ours else 1
    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="relay") as pool:
        # What may wait long begins first.
        futures = {
            run: pool.submit(_made, plan, *run)
            for run in sorted(runs, key=lambda run: -run[0].patience)
        }
        labels = {future: run_label(each.name, over) for (each, over), future in futures.items()}
        try:
            for future in Telling(progress, every_s(progress)).until_ended(labels):
                future.result()  # a fault that is no run's own ends all of them
            made = {
                run_label(scenario.name, protocol): futures[scenario, protocol].result()
                for scenario, protocol in runs
            }
        except BaseException:
            for future in futures.values():
                future.cancel()
            plan.give_up()
            raise
        finally:
            over(progress)
    return RelayRecorded(
        tuple(each.capture for each in made.values() if each.capture is not None),
        {label: each.fault for label, each in made.items() if each.capture is None},
        skipped,
        {label: each.remark for label, each in made.items() if each.remark},
    )


def _skip_reason(plan: RelayPlan, scenario: RelayScenario, protocol: Protocol) -> str:
    option = "--cc-collector-cmd" if plan.target.is_ours else "--cc-collector"
    if not _takes(plan.target, protocol):
        return f"{option} names no place to send {protocol} to"
    if scenario.needs_process and not plan.target.is_ours:
        return "needs a collector that we may stop and start: --cc-collector-cmd"
    if scenario.passes_through and not plan.outlets():
        return "nothing that comes out is seen: --cc-collector-out=none"
    if scenario.downstream is not None and not any(
        isinstance(outlet, OtlpOutlet) for outlet in plan.outlets()
    ):
        return "needs us as the downstream: {grpc_out} or {http_out}"
    return ""


def _takes(target: Target, protocol: Protocol) -> bool:
    if target.is_ours:
        return ("grpc_in" if protocol is Protocol.GRPC else "http_in") in target.places
    return endpoint_for(protocol, target.endpoints) is not None


def _made(plan: RelayPlan, scenario: RelayScenario, protocol: Protocol) -> _Made:
    label = run_label(scenario.name, protocol)
    with contextlib.ExitStack() as stack:
        outlets = plan.outlets()
        for outlet in outlets:
            if scenario.downstream is not None and isinstance(outlet, OtlpOutlet):
                scenario.downstream(outlet)
            stack.enter_context(outlet)
        collector = stack.enter_context(started(plan.target, outlets))
        endpoint = endpoint_for(protocol, collector.endpoints)
        assert endpoint is not None, "the plan has skipped the run"
        settle_s = plan.settle_s * scenario.patience
        stage = RelayStage(protocol, endpoint, outlets, plan.sessions, settle_s, collector.restart)
        if scenario.passes_through:
            stage.truth = secrets_of(plan.sessions)
        began = time_ns()
        try:
            observation = scenario.run(stage)
            stage.settle(_accepted(stage))
            collector.check_alive(f"in the run {label}")
        except (CollectorFault, SubjectError) as error:
            return _Made(fault=f"{label}: {error}")
        ending = collector.stop()
        # What was held back comes out at the end; a scrape was looked at before.
        for outlet in outlets:
            outlet.stop()
        if ending:
            return _Made(fault=f"{label}: the collector: {ending}{collector.quoted()}")
        observations = (
            *(plan.observations if scenario.passes_through else ()),
            *plan.look(outlets),
            *plan.read_log(collector.log_lines()),
            *([observation] if observation else ()),
        )
        run = _run(plan, scenario, stage, began, collector.log, observations)
        capture = Capture(run, stage.exports(), stage.forgotten)
        remark = _remark(scenario, stage, collector)
    if plan.keep is not None:
        save(capture, plan.keep / folder_name(capture.run))
    return _Made(capture, remark=remark)


def _remark(scenario: RelayScenario, stage: RelayStage, collector: Started) -> str:
    """Say so, with the log, where nothing at all was accepted, or nothing at all came out.

    Not of outlets that show sums: what is not there is told with its cause.
    """
    if not scenario.passes_through or not stage.sent:
        return ""
    label = run_label(scenario.name, stage.protocol)
    accepted = _accepted(stage)
    if all(export.rejected for export in stage.sent):
        what = (
            f"accepted none of {len(stage.sent)} requests (the first: {stage.sent[0].rejected}): "
            "is its pipeline whole, and can it reach what is downstream of it?"
        )
    elif (
        accepted
        and not any(outlet.name in SHOWING_SUMS for outlet in stage.outlets)
        and not any(export.items for export in stage.came_out())
    ):
        names = ", ".join(outlet.name for outlet in stage.outlets)
        what = (
            f"accepted {accepted} items, and nothing at all came out ({names}): can it reach what "
            "is downstream of it?"
        )
    else:
        return ""
    return f"{label}: the collector {what}{collector.quoted()}"


def _accepted(stage: RelayStage) -> int:
    return sum(len(export.items) for export in stage.sent if not export.rejected)


def _run(
    plan: RelayPlan,
    scenario: RelayScenario,
    stage: RelayStage,
    began: int,
    log: str,
    observations: Sequence[Observation],
) -> Run:
    return Run(
        scenario=scenario.name,
        protocol=stage.protocol,
        subject=plan.subject,
        argv=(plan.target.spec,),
        environment={},
        started_unix_nano=began,
        ended_unix_nano=time_ns(),
        exit_code=0,
        stdout="",
        stderr=log,
        truth=stage.truth,
        traits=(
            *scenario.traits,
            *stage.traits,
            *(() if stage.outlets else (WITHOUT_OUTLET,)),
        ),
        observed={
            name: value for each in observations for name, value in as_observed(each).items()
        },
    )
