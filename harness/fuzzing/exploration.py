"""Run sessions with drawn input against a subject, and choose the captures to judge."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from ..capture.capture import Capture
from ..clock import monotonic_s
from ..contract.applicability import JUDGED_ONLY_BY_NAME
from ..errors import SubjectError
from ..otlp.model import Protocol
from ..record.header import Fuzz
from ..running.recorder import RunDrawn
from ..themes.free_form.scenarios import Input, fuzzed
from .campaign import Plan, run
from .inputs import campaigns, first

#: Sessions side by side: some hang, and the others need not wait for them.
_SESSIONS_PER_CORE = 2

#: So many captures are kept; of drawn inputs, beyond that, only what broke something.
_KEPT = 200

#: The requirements that a capture breaks, beyond what is known of its subject.
Oracle = Callable[[Capture], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Profile:
    """The time limits of an exploration.

    After the inputs that are always tried, new ones are drawn for ``seconds``; ``grace_s`` more
    may be spent to shrink what was found.

    ``spare_s``: while other runs wait, drawing ends with them, but not before so
    many seconds: this hardly lengthens a whole run of the suite.
    """

    seconds: float
    grace_s: float
    spare_s: float | None = None


#: By the names that ``--hypothesis-profile`` takes.
PROFILES: Mapping[str, Profile] = {
    "quick": Profile(seconds=10.0, grace_s=6.0, spare_s=4.0),
    "ci": Profile(seconds=60.0, grace_s=60.0),
    "deep": Profile(seconds=600.0, grace_s=300.0),
}
DEFAULT_PROFILE = "quick"


@dataclass
class Exploration:
    """A search for inputs that break a promise; ``tally`` counts the sessions that it ran.

    ``profile_name`` and ``seed`` are shown to the user: the seed draws the same again.
    ``oracle`` may be called from several threads.
    """

    profile_name: str
    profile: Profile
    seed: Hashable
    database: ExampleDatabase | None
    oracle: Oracle
    progress: Callable[[str], None]
    first: Sequence[Input] = field(default_factory=first)
    protocols: Sequence[Protocol] = tuple(Protocol)
    #: For each requirement that was broken, by how many sessions.
    broken_after: dict[str, int] = field(default_factory=dict)
    _sessions: int = 0
    _seconds: float = 0.0
    #: What the subject breaks without any input.
    _anyway: frozenset[str] = frozenset()
    _kept: list[tuple[int, Capture]] = field(default_factory=list)
    #: For each requirement that was broken, by the smallest input.
    _broken: dict[str, tuple[int, Capture]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tally(self) -> Fuzz:
        return Fuzz(self._sessions, self._seconds, self.profile_name, str(self.seed))

    def __call__(self, run_drawn: RunDrawn, others_wait: Callable[[], bool]) -> Sequence[Capture]:
        """Run the sessions, and return the captures to be judged, smallest inputs first.

        Raises SubjectError if the subject cannot be driven even without any input.
        """
        started = monotonic_s()
        spare_s = self.profile.spare_s
        plan = Plan(
            self.profile.seconds,
            _SESSIONS_PER_CORE * (os.cpu_count() or 1),
            self.seed,
            self.database,
            self.profile.grace_s,
            waiting=lambda: self.progress(f"{self._sessions} sessions with drawn input so far"),
        )
        if spare_s is not None and others_wait():
            plan = replace(plan, enough=lambda: not others_wait(), least_s=spare_s)
        try:
            self._bare(run_drawn, Input(self._usual))
            run(
                campaigns(self.protocols),
                lambda given: self._attempt(run_drawn, given),
                plan,
                self.first,
            )
        finally:
            self._seconds = monotonic_s() - started
        by_id = {id(capture): (size, capture) for size, capture in self._kept}
        by_id |= {id(capture): (size, capture) for size, capture in self._broken.values()}
        return [capture for _, capture in sorted(by_id.values(), key=lambda sized: sized[0])]

    @property
    def _usual(self) -> Protocol:
        """The fastest of the protocols that are run."""
        usual = Protocol.HTTP_JSON
        return usual if usual in self.protocols else self.protocols[0]

    def _bare(self, run_drawn: RunDrawn, given: Input) -> None:
        """Run a session without input: only a subject that works then can fail for an input."""
        capture = run_drawn(fuzzed(given), given.protocol)
        if not _worked(capture):
            raise SubjectError(
                f"claude {capture.run.subject.version} did not get through a short session "
                f"over {given.protocol}: it ended with exit code {capture.run.exit_code}",
                output=capture.run.stdout + capture.run.stderr,
            )
        self._anyway = frozenset(self.oracle(capture))
        self._keep(capture, 0, ())

    def _attempt(self, run_drawn: RunDrawn, given: Input) -> Sequence[str]:
        capture = run_drawn(fuzzed(given), given.protocol)
        if not _worked(capture):
            # What it did not get to is nobody else's business.
            traits = (*capture.run.traits, JUDGED_ONLY_BY_NAME)
            capture = replace(capture, run=replace(capture.run, traits=traits))
        reasons = [name for name in self.oracle(capture) if name not in self._anyway]
        self._keep(capture, _size(given), reasons, always=given in self.first)
        return reasons

    def _keep(
        self, capture: Capture, size: int, reasons: Sequence[str], *, always: bool = True
    ) -> None:
        with self._lock:
            self._sessions += 1
            if always or (not reasons and len(self._kept) < _KEPT):
                self._kept.append((size, capture))
            for name in reasons:
                self.broken_after.setdefault(name, self._sessions)
                if name not in self._broken or size < self._broken[name][0]:
                    self._broken[name] = (size, capture)


def database(folder: Path) -> ExampleDatabase:
    """Return the database in which failures are stored for the next run.

    It is Hypothesis' own or, where its settings have none (as on CI), a folder below
    ``folder`` that CI may keep.
    """
    return hypothesis.settings().database or DirectoryBasedExampleDatabase(
        folder / ".hypothesis" / "examples"
    )


def _worked(capture: Capture) -> bool:
    return capture.run.exit_code == 0 and bool(capture.run.truth.api_calls)


def _size(given: Input) -> int:
    return len(given.attributes) + len(given.headers) + len(given.prompt)
