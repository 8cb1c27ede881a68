"""The data that the end of a run is rendered from, whatever it is rendered as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..drift.comparison import Comparison
from ..judging.decision import Decision, decision
from ..judging.entries import EntryTold
from ..judging.power import Power
from ..judging.verdicts import Row
from ..record.header import Header

#: Failures shown in the summary; pytest shows each one above it, the record holds all.
SHOWN_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """The data that the summary is rendered from.

    ``selected`` requirements were to be judged; fewer rows mean that the run was broken off.
    ``problem`` says what went wrong in ``undriven`` runs, or in the harness. ``notes`` are lines
    about the files that were written, ``written`` those about files that were asked
    for; ``shown`` is the most failures that are rendered. ``entries``
    say what became of somebody's own list of known deviations, called ``listing``.
    ``comparison`` is that with another release, if one was asked for, ``ended`` a sentence about
    runs in which the subject ended badly, ``power`` what became of lies about the run, if any
    were told.
    """

    header: Header
    rows: Sequence[Row]
    selected: int
    rerun: Callable[[Row], str]
    problem: str = ""
    undriven: int = 0
    notes: Sequence[str] = ()
    shown: int = SHOWN_FAILURES
    listing: str = ""
    entries: Sequence[EntryTold] = ()
    comparison: Comparison | None = None
    ended: str = ""
    written: Sequence[str] = ()
    power: Power | None = None

    @property
    def decision(self) -> Decision:
        """Whether the run as a whole has failed, and why."""
        compared = "" if self.comparison is None else self.comparison.failure
        also = "; ".join(filter(None, (self.ended, compared)))
        return decision(self.rows, self.undriven, also)
