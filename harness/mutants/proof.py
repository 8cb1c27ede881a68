"""Tell the lies about promises that a run kept, in that run's own captures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ..capture.capture import Capture
from ..contract.applicability import applies_to_run
from ..contract.requirement import DRAWN, MutantSpec, Requirement
from ..findings import Judged, Verdict
from ..judging.expectations import Expectations
from ..judging.items.measured import Measures
from ..judging.items.view import CaptureView
from ..judging.judge import ACROSS_RUNS, Judge
from ..judging.power import Doubt, Exempt
from ..judging.verdicts import decide
from .mutate import mutate
from .named import Lie

#: In so many places is a lie told that nobody notices, before it counts as missed.
_PLACES = 12


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one lie: caught, missed, excused by a list, or why it cannot be told."""

    lie: MutantSpec
    verdict: Verdict | None
    why_not: str = ""


class Proof:
    """The captures of a run, in which lies are told about the promises that they keep.

    A lie is told in one run at a time, the smallest first, and where checks compare runs, in all
    of them: it is the more modest, and quicker judged. A run whose input was drawn comes last:
    what is odd there may make a lie of what is true elsewhere.
    """

    def __init__(
        self,
        judge: Judge,
        views: Sequence[CaptureView],
        measures: Measures,
        lies: Mapping[str, Lie],
        expectations: Expectations,
    ) -> None:
        self._judge = judge
        self._views = sorted(views, key=lambda view: (DRAWN in view.run.traits, _size(view)))
        self._measures = measures
        self._lies = lies
        self._expectations = expectations

    def told(self, requirement: Requirement) -> tuple[Told, ...]:
        """Tell every lie about a promise that is kept; each until it is caught."""
        relevant = [view for view in self._views if applies_to_run(requirement, view.run)]
        return tuple(self._tell(requirement, lie, relevant) for lie in requirement.mutants)

    def _tell(
        self, requirement: Requirement, lie: MutantSpec, relevant: Sequence[CaptureView]
    ) -> Told:
        why, told, verdict = "", 0, None
        for views in self._places(requirement, relevant):
            try:
                lied = mutate([view.capture for view in views], requirement, lie, self._lies)
            except ValueError as error:
                why = str(error)
                continue
            verdict = self._verdict(requirement, views, lied)
            told += 1
            if verdict is not Verdict.PASS or told == _PLACES:
                break
        return Told(lie, verdict, "" if verdict else why.removeprefix(f"{lie.name}: "))

    def _places(
        self, requirement: Requirement, relevant: Sequence[CaptureView]
    ) -> Iterator[Sequence[CaptureView]]:
        """Yield where a lie may be told: in each run that shows the promise, then in all."""
        if requirement.check in ACROSS_RUNS:
            return iter([relevant])
        alone = (
            [view] for view in relevant if isinstance(self._judge.alone(requirement, view), Judged)
        )
        return chain(alone, [relevant])

    def _verdict(
        self,
        requirement: Requirement,
        views: Sequence[CaptureView],
        lied: Sequence[Capture],
    ) -> Verdict:
        known = {id(view.capture): view for view in views}
        seen = [known.get(id(each)) or CaptureView(each, self._measures) for each in lied]
        judgement = self._judge.judge(requirement, seen)
        row = decide(self._judge.contract, requirement, judgement, self._expectations, whole=False)
        # What is no longer seen anywhere has not failed, and so has got through.
        caught = row.verdict in (Verdict.FAIL, Verdict.KNOWN)
        return row.verdict if caught else Verdict.PASS


def exempt(requirement: Requirement, told: Sequence[Told]) -> Exempt | None:
    """Return why a promise does not prove all that it could; None if it fails every lie."""
    missed = [each for each in told if each.verdict is Verdict.PASS]
    excused = [each for each in told if each.verdict is Verdict.KNOWN]
    caught = [each for each in told if each.verdict is Verdict.FAIL]
    if missed:
        others = f"; caught: {_named(caught + excused)}" if caught or excused else ""
        doubt = Doubt.PARTLY if others else Doubt.BLIND
        return Exempt(requirement.name, doubt, f"missed: {_named(missed)}{others}")
    if excused:
        return Exempt(requirement.name, Doubt.EXCUSED, f"excused: {_named(excused)}")
    if not caught:
        reasons = dict.fromkeys(each.why_not for each in told)
        return Exempt(requirement.name, Doubt.UNTOLD, "; ".join(reasons) or "it has no lies")
    return None


def _named(told: Sequence[Told]) -> str:
    return ", ".join(each.lie.name for each in told)


def _size(view: CaptureView) -> int:
    return sum(len(export.body) for export in view.capture.exports)
