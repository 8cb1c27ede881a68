"""The plan of a recording, and the outcome of each of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..findings import Impact
from ..judging.listing import Listing
from .header import Fuzz
from .moments import Moment

#: Faults of runs that are shown in full: a subject that cannot start has one in each.
_SHOWN_FAULTS = 3

#: Requests without an answer that are named.
_SHOWN_REQUESTS = 8


#: With this begins why runs were not made after enough had failed (``-x``).
STOPPED = "the recording was stopped: "


class RunOutcome(StrEnum):
    """How a run ended: recorded, or why not."""

    RECORDED = "recorded"
    #: The subject could not be driven through it.
    UNDRIVEN = "undriven"
    #: It cannot be made on this machine.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The outcome of one run, with its label (``working_day over grpc``).

    ``reason`` says why it was not recorded, with the last screen or output of an undriven one; of
    one that was, what is odd about all of it.
    ``folder`` holds its capture, relative to the record; empty if none was kept. ``forgotten``
    exports were dropped over the memory limit, and ``unkept`` ones were refused because they were
    larger than the collector takes. ``moments`` are what happened in it, and when.
    """

    label: str
    outcome: RunOutcome
    seconds: float = 0.0
    reason: str = ""
    folder: str = ""
    forgotten: int = 0
    unkept: int = 0
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordingSummary:
    """The outcome of a whole recording, without the captures.

    ``seconds`` is its wall time, ``unavoidable_s`` the longest wait that nothing can shorten,
    ``exports`` the number of exports by protocol. ``harness_fault`` says why nothing can be
    judged, or is empty. ``fuzz`` describes the sessions with drawn input, if there were any.
    ``unknown_requests`` are those that the scripted API has no answer to, each with the number of
    runs that sent it; so are ``reached`` what was tried to be reached beside this machine, and
    ``unwatched`` why that was not seen. ``again`` are the labels of the runs that were made a
    second time, each with what came too late in the first.
    """

    seconds: float = 0.0
    runs: tuple[RunSummary, ...] = ()
    exports: Mapping[str, int] = field(default_factory=dict)
    harness_fault: str = ""
    unavoidable_s: float = 0.0
    fuzz: Fuzz | None = None
    unknown_requests: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    reached: Mapping[str, int] = field(default_factory=dict)
    unwatched: Mapping[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """Lines about runs that were made twice, what nobody knows, and what was reached for."""
        twice = [
            f"again      {label} was run a second time; the first time: {why}"
            for label, why in self.again.items()
        ]
        return [
            *twice,
            *_counted("unknown    the scripted API has no answer to", self.unknown_requests),
            *_counted("reached    the subject tried to reach", self.reached),
            *_counted("unwatched  what was tried to be reached was not seen:", self.unwatched),
        ]

    @property
    def recorded(self) -> tuple[RunSummary, ...]:
        """The runs that were recorded to their end."""
        return self._with(RunOutcome.RECORDED)

    @property
    def begun(self) -> tuple[str, ...]:
        """The labels of the runs that were begun."""
        return tuple(run.label for run in self.runs if run.outcome is not RunOutcome.SKIPPED)

    @property
    def undriven(self) -> tuple[RunSummary, ...]:
        """The runs that the subject could not be driven through."""
        return self._with(RunOutcome.UNDRIVEN)

    @property
    def skipped(self) -> tuple[RunSummary, ...]:
        """The runs that cannot be made on this machine."""
        return self._with(RunOutcome.SKIPPED)

    @property
    def stopped(self) -> str:
        """Why the recording was stopped before all runs were made; empty if it was not."""
        return next((run.reason for run in self.skipped if run.reason.startswith(STOPPED)), "")

    @property
    def incomplete(self) -> tuple[RunSummary, ...]:
        """The runs from which some exports were not kept."""
        return tuple(run for run in self.runs if run.forgotten or run.unkept)

    @property
    def lengths_s(self) -> dict[str, float]:
        """The seconds of each recorded run, by its label; of several, the longest."""
        lengths: dict[str, float] = {}
        for run in self.recorded:
            lengths[run.label] = max(run.seconds, lengths.get(run.label, 0.0))
        return lengths

    @property
    def problem(self) -> str:
        """A description of everything that went wrong; of many like faults, the first ones."""
        if self.harness_fault:
            return self.harness_fault
        shown = [run.reason for run in self.undriven[:_SHOWN_FAULTS]]
        more = [run.label for run in self.undriven[_SHOWN_FAULTS:]]
        if more:
            shown.append(f"and {len(more)} more, not driven to the end either: {', '.join(more)}")
        shown += [run.reason for run in self.recorded if run.reason][:_SHOWN_FAULTS]
        shown += [not_kept(run) for run in self.incomplete[:_SHOWN_FAULTS]]
        return "\n\n".join(shown)

    def _with(self, outcome: RunOutcome) -> tuple[RunSummary, ...]:
        return tuple(run for run in self.runs if run.outcome is outcome)


def _counted(what: str, runs_by_text: Mapping[str, int]) -> list[str]:
    """Return a line that says in how many runs each text was told; none if none was."""
    shown = [
        f"{text} ({runs} run{'s' * (runs > 1)})"
        for text, runs in list(runs_by_text.items())[:_SHOWN_REQUESTS]
    ]
    more = len(runs_by_text) - len(shown)
    if not shown:
        return []
    shown += [f"and {more} more"] if more else []
    return [f"{what} {', '.join(shown)}"]


def not_kept(run: RunSummary) -> str:
    """Describe which exports of a run were not kept, and why."""
    parts = []
    if run.forgotten:
        parts.append(f"{run.forgotten} exports were forgotten over the memory limit of the store")
    if run.unkept:
        parts.append(f"the bodies of {run.unkept} exports were larger than the collector takes")
    return f"{run.label}: {' and '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was to be recorded and judged.

    ``runs`` are the labels of all planned runs, ``drawn`` the scenarios that stand for many runs
    each; ``selected`` the requirements that were to be judged (None: all), ``options`` those of
    the command line that change what is recorded. ``expectations`` is the user's own list of
    known deviations; ``fail_on`` the impacts that fail the run, listed or not.
    """

    runs: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    selected: tuple[str, ...] | None = None
    options: tuple[str, ...] = ()
    expectations: Listing | None = None
    fail_on: tuple[Impact, ...] = ()
