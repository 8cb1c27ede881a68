"""What the subject left, recorded once: in this process, or shared by several."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from harness.capture import files
from harness.capture.capture import Capture
from harness.capture.plain import from_plain, to_plain
from harness.capture.run import Run
from harness.errors import HarnessError
from harness.exposition import is_exposed
from harness.fuzzing.exploration import Exploration
from harness.otlp.model import Protocol
from harness.record.header import Fuzz
from harness.running.recorder import record
from harness.running.scenario import Scenario
from harness.subject.binary import Binary
from harness.themes.catalogue import SCENARIOS

_DONE = "recording.json"

#: Faults of runs that are shown in full: a subject that cannot start has one in each.
_SHOWN_FAULTS = 3

#: Requests without an answer that are named.
_SHOWN_REQUESTS = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """About a recording, without the captures.

    ``seconds`` is its wall time, ``runs`` each run with the seconds it took,
    ``unavoidable_s`` the longest wait that no recording is without, ``exports`` what
    arrived by protocol.  ``undriven`` are the runs that the subject did not go
    through, with the reason, ``hindered`` those that cannot be made here or were not asked for;
    ``harness_fault`` says why nothing can be judged, or is empty.  ``fuzz`` tells of
    sessions with drawn input, if there were any.  ``unknown_requests`` are what the scripted
    API has no answer to, each with the number of runs that asked for it.
    """

    seconds: float = 0.0
    runs: tuple[tuple[str, float], ...] = ()
    exports: tuple[tuple[str, int], ...] = ()
    undriven: tuple[tuple[str, str], ...] = ()
    hindered: tuple[tuple[str, str], ...] = ()
    harness_fault: str = ""
    unavoidable_s: float = 0.0
    fuzz: Fuzz | None = None
    unknown_requests: tuple[tuple[str, int], ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader should know besides: lines."""
        shown = [
            f"{request} ({runs} run{'s' * (runs > 1)})"
            for request, runs in self.unknown_requests[:_SHOWN_REQUESTS]
        ]
        more = len(self.unknown_requests) - len(shown)
        if not shown:
            return []
        shown += [f"and {more} more"] if more else []
        return [f"unknown    the scripted API has no answer to {', '.join(shown)}"]

    @property
    def problem(self) -> str:
        """All that went wrong, for a reader; what went wrong often, not often."""
        if self.harness_fault:
            return self.harness_fault
        shown = [why for _, why in self.undriven[:_SHOWN_FAULTS]]
        more = [label for label, _ in self.undriven[_SHOWN_FAULTS:]]
        if more:
            shown.append(f"and {len(more)} more, not driven to the end either: {', '.join(more)}")
        return "\n\n".join(shown)


@dataclass(frozen=True, slots=True)
class Recording:
    """The captures of all runs that came to their end; none where there is a fault of ours."""

    facts: Facts
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What to record: the subject, the scenarios, one run's deadline, where to keep
    captures (or None), whether managed settings may be the machine's, who makes the runs
    of drawn scenarios (None: nobody), over which protocols, and which runs that leaves out,
    with the reason for each."""

    binary: Binary
    scenarios: tuple[Scenario, ...]
    deadline_s: float
    keep: Path | None
    allow_managed: bool = False
    explore: Exploration | None = None
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    left_out: Mapping[str, str] = field(default_factory=dict)


def recorded(
    captures: tuple[Capture, ...],
    seconds: float = 0.0,
    undriven: Mapping[str, str] | None = None,
    hindered: Mapping[str, str] | None = None,
    fuzz: Fuzz | None = None,
) -> Recording:
    """The recording that these captures make."""
    arrived: Counter[str] = Counter()
    for capture in captures:
        arrived[capture.run.protocol.value] += sum(not is_exposed(e) for e in capture.exports)
    unknown = Counter(
        request
        for capture in captures
        for request in dict.fromkeys(capture.run.truth.unknown_requests)
    )
    runs = tuple((capture.run.label, _length_s(capture.run)) for capture in captures)
    facts = Facts(
        seconds,
        runs,
        tuple(arrived.items()),
        tuple((undriven or {}).items()),
        tuple((hindered or {}).items()),
        unavoidable_s=_unavoidable_s(captures),
        fuzz=fuzz,
        unknown_requests=tuple(unknown.most_common()),
    )
    return Recording(facts, captures)


def _unavoidable_s(captures: Sequence[Capture]) -> float:
    """Of the runs that wait, the longest wait and what the subject took to start before
    it, but no more than the run took; where none waits, the longest run."""
    runs = [capture.run for capture in captures]
    waits = [
        min(SCENARIOS[run.scenario].patience_s + _start_s(run), _length_s(run))
        for run in runs
        if run.scenario in SCENARIOS and SCENARIOS[run.scenario].patience_s
    ]
    return max(waits or map(_length_s, runs), default=0.0)


def _length_s(run: Run) -> float:
    return _seconds(run.started_unix_nano, run.ended_unix_nano)


def _start_s(run: Run) -> float:
    """From the start of the process to its first question."""
    asked = [call.arrived_unix_nano for call in run.truth.api_calls if call.arrived_unix_nano]
    return _seconds(run.started_unix_nano, min(asked)) if asked else 0.0


def _seconds(start_unix_nano: int, end_unix_nano: int) -> float:
    return (end_unix_nano - start_unix_nano) / 1e9


def record_once(order: Order, progress: Callable[[str], None]) -> Recording:
    """Run the subject through the scenarios; a fault is a value here, Ctrl-C is not."""
    started = time.monotonic()
    try:
        done = record(
            order.binary,
            protocols=order.protocols,
            scenarios=order.scenarios,
            progress=progress,
            deadline_s=order.deadline_s,
            keep=order.keep,
            allow_managed=order.allow_managed,
            explore=order.explore,
        )
    except HarnessError as error:
        return Recording(Facts(time.monotonic() - started, harness_fault=str(error)))
    fuzz = order.explore.tally if order.explore and order.explore.tally.sessions else None
    hindered = {**done.hindered, **order.left_out}
    return recorded(done.captures, time.monotonic() - started, done.faults, hindered, fuzz)


def record_shared(order: Order, progress: Callable[[str], None], folder: Path) -> Recording:
    """As :func:`record_once`, once for all processes that share ``folder``.

    The first one records while the others wait for it; they load what it saved.
    """
    with FileLock(folder / "lock"):
        facts = read_facts(folder)
        if facts is None:
            recording = record_once(order, progress)
            for number, capture in enumerate(recording.captures):
                files.save(capture, _place(folder, number))
            names = [str(_place(folder, n)) for n in range(len(recording.captures))]
            done = {"facts": to_plain(recording.facts), "captures": names}
            (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
            return recording
    return Recording(facts, read_captures(folder))


def read_facts(folder: Path) -> Facts | None:
    """The facts of the recording in ``folder``, or None as long as there is none."""
    try:
        text = (folder / _DONE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return from_plain(Facts, json.loads(text)["facts"])


def read_captures(folder: Path) -> tuple[Capture, ...]:
    """The captures of the recording in ``folder``; none as long as there is none."""
    try:
        done = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(files.load(Path(name)) for name in done["captures"])


def _place(folder: Path, number: int) -> Path:
    return folder / f"capture-{number}"
