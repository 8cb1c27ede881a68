"""A sample of ``tox -e power``: lies of every kind about fields of the contract are caught.

What is not caught needs a reason in ``docs/power.json``, or is listed there as open.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assessment.assessment import catalogue
from harness.assessment.recording import read_shared
from harness.contract.versions import Version
from harness.mutants.bench import Bench
from harness.mutants.fields import fields_of
from harness.mutants.power import Cell, cell
from harness.mutants.reasons import Reasons
from harness.mutants.stage import Stage
from harness.mutants.telling import KINDS
from harness.themes.catalogue import MEASURES
from harness.themes.free_form.by_hand import by_hand

DATA = Path(__file__).resolve().parents[2] / "docs" / "power.json"
SUBJECT = "reference:2.1.240"
#: Of so many cells (a field and a kind) one is judged: all of them would take minutes.  It has no
#: divisor in common with the number of kinds, so that the sample has each kind.
ONE_OF = 10


@pytest.fixture(scope="module")
def reasons() -> Reasons:
    return Reasons.read(DATA)


@pytest.mark.slow
def test_what_is_not_caught_has_a_reason(
    recorded_in: Callable[[str], Path], reasons: Reasons
) -> None:
    """One test, so that pytest-xdist has the sample judged by one worker only."""
    sample = judged(recorded_in(SUBJECT), reasons)
    blanks = [
        f"{cell.field} · {cell.kind} · {result.extent} · {result.scenario}"
        for cell in sample
        for result in cell.missed
        if reasons.of(SUBJECT, cell.field, cell.kind, result) is None
    ]
    assert blanks == []

    results = [result for cell in sample for result in cell.results]
    assert [result for result in results if result.broken] == []
    assert {cell.kind for cell in sample if cell.results} == set(KINDS)
    assert sum(result.caught for result in results) > 300
    assert all(cell.results or cell.why_not for cell in sample)


def judged(folder: Path, reasons: Reasons) -> list[Cell]:
    made = read_shared(folder)
    assert made is not None
    contract = catalogue(SUBJECT.partition(":")[2])
    bench = Bench.of(contract, made.captures, MEASURES, by_hand)
    fields = fields_of(contract.version)
    stage = Stage(made.captures, fields, reasons.same)
    pairs = [(field, kind) for field in fields for kind in KINDS]
    return [cell(bench, stage, *pair) for pair in pairs[::ONE_OF]]


def test_every_reason_speaks_of_a_field_of_the_contract(reasons: Reasons) -> None:
    fields = {
        field.name
        for release in ("2.1.31", "2.1.240")
        for field in fields_of(Version.parse(release))
    }
    for entry in reasons.entries:
        for pattern in entry.fields:
            assert any(entry.is_about(name) for name in fields), pattern
    assert {name for same in reasons.same for name in same.members} <= fields
