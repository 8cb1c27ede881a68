"""Measure power: which of the lies about each field some requirement catches."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..findings import Verdict
from ..judging.verdicts import Row, fails_the_run
from .bench import Bench
from .fields import Field
from .kinds import Untellable
from .stage import ORDINARY, Stage
from .telling import Extent, Telling, tell, tellings

#: In so many scenarios is each lie told: an ordinary one, and one drawn by the lie's name.
_SCENARIOS = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one lie.

    ``failing`` are the requirements that fail the run, ``warning`` those that fail and leave the
    exit code as it is. ``hidden`` are listed deviations whose findings the lie changed, and
    ``silenced`` the requirements that are no longer exercised.
    """

    extent: Extent
    scenario: str
    variant: str
    failing: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    @property
    def caught(self) -> bool:
        return bool(self.failing or self.warning)


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of all lies of one kind about one field; ``why_not`` if none can be told."""

    field: str
    kind: str
    results: tuple[Result, ...] = ()
    why_not: str = ""

    @property
    def missed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if not result.caught)


def cell(bench: Bench, stage: Stage, field: Field, kind: str) -> Cell:
    """Tell the lies of one kind about a field, and judge each."""
    results: list[Result] = []
    reasons: dict[str, None] = {}
    for number in range(len(tellings(field, kind, ""))):
        told = 0
        for scenario in _scenarios(stage, field, kind):
            telling = tellings(field, kind, scenario)[number]
            try:
                captures = tell(stage, telling)
            except Untellable as error:
                reasons[str(error)] = None
                continue
            results.append(judged(bench, telling, bench.rows_after(captures)))
            told += 1
            if told == _SCENARIOS:
                break
    if results:
        return Cell(field.name, kind, tuple(results))
    # That some runs lack the field says least.
    return Cell(field.name, kind, why_not=max(reasons, key=lambda why: (why != NOTHING, why)))


NOTHING = "nothing carries it"


def judged(bench: Bench, telling: Telling, rows: dict[str, Row]) -> Result:
    """Return what a lie made of the rows of the truth."""
    failing, warning, hidden, silenced, broken = [], [], [], [], []
    for name, row in rows.items():
        before = bench.truth[name]
        if row.verdict is before.verdict:
            if row.verdict is Verdict.KNOWN and _hides(bench, name, telling.field, row):
                hidden.append(name)
        elif row.verdict is Verdict.NOT_EXERCISED:
            silenced.append(name)
        elif row.verdict is Verdict.ERROR:
            broken.append(name)
        elif fails_the_run(row):
            failing.append(name)
        elif row.verdict is Verdict.FAIL:
            warning.append(name)
    return Result(
        telling.extent,
        telling.scenario,
        telling.variant,
        tuple(failing),
        tuple(warning),
        tuple(hidden),
        tuple(silenced),
        tuple(broken),
    )


def _hides(bench: Bench, name: str, field: Field, row: Row) -> bool:
    """Return whether a listed deviation has findings of its own about the lie."""
    if bench.contract.requirement(name).path not in (field.path, ()):
        return False
    return not set(row.findings) <= set(bench.truth[name].findings)


def _scenarios(stage: Stage, field: Field, kind: str) -> Iterator[str]:
    """Yield scenarios to lie in: an ordinary one, then the others as they are drawn."""
    names = list(stage.scenarios(field))
    ordinary = [name for name in names if name in ORDINARY]
    # A scenario that is added or gone changes only the lies that it is drawn for.
    others = sorted(
        (name for name in names if name not in ORDINARY),
        key=lambda name: zlib.crc32(f"{field.name} {kind} {name}".encode()),
    )
    yield from (*ordinary[:1], *others, *ordinary[1:])
