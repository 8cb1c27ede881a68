"""The run record: everything that is known of a run, as reports render it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from ..drift.comparison import Comparison
from ..judging.decision import decision
from ..judging.power import Power
from ..judging.verdicts import Row
from .header import Header
from .summary import Plan, RecordingSummary


@dataclass(frozen=True, slots=True)
class Footer:
    """The last part of a record: how the run ended.

    ``selected`` requirements were to be judged, ``deselected`` ones of the catalogue were not;
    ``exit_code`` is that of the process, ``ratio`` the time of the whole run divided by the
    longest unavoidable wait (None if nothing was run).
    """

    selected: int
    deselected: int
    failed: bool
    why: str
    exit_code: int
    ratio: float | None = None

    @classmethod
    def of(
        cls,
        header: Header,
        rows: Sequence[Row],
        undriven: int,
        *,
        catalogue: int,
        exit_code: int,
        also: str = "",
    ) -> Self:
        """Make the footer from the rows of everything that was selected.

        ``undriven`` is the number of runs that the subject could not be driven through,
        ``catalogue`` that of all requirements, ``also`` another reason why the run failed.
        """
        decided = decision(rows, undriven, also)
        return cls(
            selected=len(rows),
            deselected=catalogue - len(rows),
            failed=decided.failed,
            why=decided.why,
            exit_code=exit_code,
            ratio=header.ratio,
        )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that is known of a run: what was planned, recorded and judged.

    ``recording`` is None while the recording goes on, or if it was broken off; ``footer`` is None
    until everything is judged. ``comparison`` is that with another release, if there was one,
    ``power`` what became of lies about the run, if any were told.
    """

    header: Header
    plan: Plan = field(default_factory=Plan)
    recording: RecordingSummary | None = None
    rows: tuple[Row, ...] = ()
    footer: Footer | None = None
    comparison: Comparison | None = None
    power: Power | None = None
