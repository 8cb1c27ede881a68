"""Judge lies quickly: only what a lie changed is judged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..capture.capture import Capture
from ..contract.applicability import applies_to_run
from ..contract.catalogue import Contract
from ..contract.exercised import NOTHING_MEASURED, Exercised
from ..contract.requirement import Requirement
from ..judging.expectations import NO_EXPECTATIONS, Expectations
from ..judging.items.measured import Measures
from ..judging.items.view import CaptureView
from ..judging.judge import OF_ITEMS_ALONE, ByHand, Judge
from ..judging.verdicts import Row, decide


@dataclass(frozen=True)
class Bench:
    """A contract, its judge, and what a subject left; ``expectations`` are those of the subject."""

    contract: Contract
    judge: Judge
    captures: tuple[Capture, ...]
    views: tuple[CaptureView, ...]
    measures: Measures
    expectations: Expectations = NO_EXPECTATIONS

    @classmethod
    def of(
        cls,
        contract: Contract,
        captures: tuple[Capture, ...],
        measures: Measures,
        by_hand: ByHand | None = None,
        expectations: Expectations = NO_EXPECTATIONS,
        measured: Exercised = NOTHING_MEASURED,
    ) -> Bench:
        views = tuple(CaptureView(capture, measures) for capture in captures)
        return cls(
            contract, Judge(contract, by_hand, measured), captures, views, measures, expectations
        )

    @cached_property
    def truth(self) -> dict[str, Row]:
        """The rows of its own captures."""
        return self.rows(self.views)

    @cached_property
    def concerned(self) -> dict[str, frozenset[int]]:
        """For each requirement, which of its captures it speaks of."""
        return {
            each.name: frozenset(n for n, v in enumerate(self.views) if self.speaks_of(each, v))
            for each in self.contract.requirements
        }

    def rows(self, views: Sequence[CaptureView]) -> dict[str, Row]:
        """Return the row of each requirement by these views."""
        return {each.name: self.row(each, views) for each in self.contract.requirements}

    def rows_after(self, captures: Sequence[Capture]) -> dict[str, Row]:
        """Return the rows of captures that a lie made of its own.

        What the judge says of each capture that a requirement speaks of decides its row:
        where the lie changed none of that, the row stays.
        """
        views = self.views_after(captures)
        changed = frozenset(n for n, view in enumerate(views) if view is not self.views[n])
        other_runs = {n for n in changed if views[n].run is not self.views[n].run}
        rows = {}
        for each in self.contract.requirements:
            before = self.concerned[each.name]
            now = (before - other_runs) | {n for n in other_runs if self.speaks_of(each, views[n])}
            same = now == before and all(
                self.judged_alike(each, self.views[n], views[n]) for n in now & changed
            )
            if same:
                rows[each.name] = self.truth[each.name]
            else:
                rows[each.name] = self.row(each, [views[n] for n in sorted(now)])
        return rows

    def judged_alike(self, requirement: Requirement, before: CaptureView, now: CaptureView) -> bool:
        """Return whether one view may stand for the other beside all others.

        A check across captures says nothing of a single one, but compares what it selects.
        """
        same_run = before.run is now.run or (
            (before.run.label, before.run.traits) == (now.run.label, now.run.traits)
        )
        if not same_run:
            return False
        of_items = requirement.check in OF_ITEMS_ALONE and before.run is now.run
        if of_items and now.selects_alike(before, requirement.selects):
            return True
        was = self.judge.alone(requirement, before)
        if was is not None:
            return was == self.judge.alone(requirement, now)
        selected = (view.select(requirement.selects) for view in (before, now))
        first, second = ([item.at(requirement.path) for item in items] for items in selected)
        return first == second

    def views_after(self, captures: Sequence[Capture]) -> list[CaptureView]:
        """Return the views of captures; those of its own captures are made once."""
        pairs = zip(self.views, captures, strict=True)
        return [
            view if view.capture is capture else CaptureView(capture, self.measures)
            for view, capture in pairs
        ]

    def row(self, requirement: Requirement, views: Sequence[CaptureView]) -> Row:
        """Return the row of one requirement by these views."""
        applies = self.contract.applies(requirement)
        judgement = self.judge.judge(requirement, views) if applies else None
        return decide(self.contract, requirement, judgement, self.expectations)

    def speaks_of(self, requirement: Requirement, view: CaptureView) -> bool:
        """Return whether a requirement is judged in the run of a view."""
        return self.contract.applies(requirement) and applies_to_run(requirement, view.run)
