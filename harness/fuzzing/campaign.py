"""Run several Hypothesis searches side by side for an input that breaks a promise.

Hypothesis runs the examples of one test one after another. Several campaigns run side by
side, each in a thread of its own, and take turns at the subjects, so that these keep all
cores busy while Hypothesis sees each example's outcome before it draws the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from unittest import SkipTest

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from ..clock import monotonic_s

T = TypeVar("T")
R = TypeVar("R")

#: Seconds between two calls of ``waiting``.
_WAITING_S = 5.0

#: Examples of a campaign that has a time and no number.
_ENDLESS = 1_000_000


@dataclass(frozen=True, slots=True)
class Campaign(Generic[T]):
    """One Hypothesis search, whose examples ``strategy`` draws.

    At most ``examples`` of them are tried (None: as many as there is time for).
    """

    name: str
    strategy: SearchStrategy[T]
    examples: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The time, the parallelism and the seed of campaigns.

    ``seconds``: for how long campaigns begin new examples, unless ``enough()`` is true before,
    after ``least_s`` at the earliest. After that, only campaigns that have found something go on,
    to shrink it for up to ``grace_s`` more. ``workers``: how many examples are tried at a time.
    ``seed``: None draws anew each time. ``database`` stores failures for the next run (None: no
    storage). ``waiting`` is called every few seconds.
    """

    seconds: float
    workers: int
    seed: Hashable | None = None
    database: ExampleDatabase | None = None
    grace_s: float = 0.0
    least_s: float = 0.0
    enough: Callable[[], bool] = lambda: False
    waiting: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Broken(Generic[T]):
    """The smallest example of a campaign that breaks a promise, and the promises it breaks."""

    campaign: str
    example: T
    reasons: tuple[str, ...]


class BrokenError(AssertionError):
    """The exception by which Hypothesis learns that an example breaks a promise."""


@dataclass
class _Trial(Generic[T]):
    """A cache of examples and their outcomes, since shrinking tries many again."""

    attempt: Callable[[T], Sequence[str]]
    plan: Plan
    started: float
    stopped: threading.Event
    #: The seconds after which it found an example that breaks a promise.
    _found_after_s: float | None = None
    _known: dict[T, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, example: T) -> tuple[str, ...]:
        if example not in self._known:
            if self.over:
                return ()
            self._known[example] = reasons = tuple(self.attempt(example))
            if reasons and self._found_after_s is None:
                self._found_after_s = self._seconds
        return self._known[example]

    @property
    def over(self) -> bool:
        if self.stopped.is_set():
            return True
        seconds, plan = self._seconds, self.plan
        if self._found_after_s is not None:
            return seconds >= max(plan.seconds, self._found_after_s) + plan.grace_s
        return seconds >= plan.seconds or (seconds >= plan.least_s and plan.enough())

    @property
    def _seconds(self) -> float:
        return monotonic_s() - self.started


def run(
    campaigns: Sequence[Campaign[T]],
    attempt: Callable[[T], Sequence[str]],
    plan: Plan,
    first: Iterable[T] = (),
) -> tuple[Broken[T], ...]:
    """Try each of ``first``, then run all campaigns; return their failures, in their order.

    ``attempt`` tries one example and returns the promises that it breaks; it is called from
    several threads, once for each example of a campaign. An exception of it ends all campaigns
    and is raised here.
    """
    stopped = threading.Event()
    turns = threading.Semaphore(plan.workers)

    def in_turn(example: T) -> Sequence[str]:
        with turns:
            return () if stopped.is_set() else attempt(example)

    def explore(campaign: Campaign[T], started: float) -> Broken[T] | None:
        return _explore(campaign, _Trial(in_turn, plan, started, stopped), plan)

    pool = ThreadPoolExecutor(max(len(campaigns), plan.workers), "campaign")
    try:
        _results([pool.submit(in_turn, example) for example in first], plan)
        started = monotonic_s()
        broken = _results([pool.submit(explore, campaign, started) for campaign in campaigns], plan)
    except BaseException:
        # Whoever is at it is ended by the caller, who knows what an attempt is.
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return tuple(filter(None, broken))


def _results(futures: Sequence[Future[R]], plan: Plan) -> list[R]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, _WAITING_S, FIRST_EXCEPTION)
        for future in done:
            future.result()
        if pending:
            plan.waiting()
    return [future.result() for future in futures]


def _explore(campaign: Campaign[T], trial: _Trial[T], plan: Plan) -> Broken[T] | None:
    smallest: list[Broken[T]] = []

    @hypothesis.given(campaign.strategy)
    def keeps_its_promises(example: T) -> None:
        reasons = trial(example)
        if reasons:
            # The last one that Hypothesis tries is the smallest.
            smallest[:] = [Broken(campaign.name, example, reasons)]
            raise BrokenError(reasons[0])
        # What was found must not be lost to the clock while it shrinks.
        if campaign.examples is None and trial.over and not smallest:
            raise _OutOfTime("no time is left")

    test = keeps_its_promises
    if plan.seed is not None:
        test = hypothesis.seed(plan.seed)(test)
    # Last: a seed by itself would take the database away.
    test = hypothesis.settings(
        max_examples=campaign.examples or _ENDLESS,
        database=None if plan.database is None else _Named(plan.database, campaign.name, smallest),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        derandomize=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
    )(test)
    try:
        test()
    except BrokenError:
        return smallest[0]
    except _OutOfTime:
        return None
    return None


class _OutOfTime(SkipTest):
    """The exception that ends a campaign without a number of examples.

    Hypothesis neither shrinks nor stores a test that is skipped.
    """


class _Named(ExampleDatabase):
    """A view of one database for one campaign, whose name is a prefix of all keys.

    Nothing is stored before ``broken`` has an entry: to be out of time is no failure.
    """

    def __init__(self, inner: ExampleDatabase, name: str, broken: Sequence[object]) -> None:
        super().__init__()
        self._inner = inner
        self._prefix = name.encode() + b"/"
        self._broken = broken

    def save(self, key: bytes, value: bytes) -> None:
        if self._broken:
            self._inner.save(self._prefix + key, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return self._inner.fetch(self._prefix + key)

    def delete(self, key: bytes, value: bytes) -> None:
        self._inner.delete(self._prefix + key, value)
