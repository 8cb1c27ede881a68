"""Power: silent -> not exercised, a faithful relay -> pass, each lie -> what it claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.assessment.jobs import COLLECTOR
from harness.capture.capture import Capture
from harness.contract.catalogue import Contract
from harness.contract.requirement import MutantSpec
from harness.findings import Verdict
from harness.judging.items.measured import by_name
from harness.mutants.bench import Bench
from harness.mutants.mutate import mutate
from harness.relay_themes.series.measures import MEASURES
from harness.relay_themes.series.mutants import LIES


def the_contract() -> Contract:
    loaded = COLLECTOR.contract("0.0.0")
    own = tuple(each for each in loaded.requirements if each.name.startswith("series."))
    return replace(loaded, requirements=own)


CONTRACT = the_contract()
MUTANTS = [lie for requirement in CONTRACT.requirements for lie in requirement.mutants]


def bench(*captures: Capture) -> Bench:
    return Bench.of(CONTRACT, captures, by_name(*MEASURES))


def test_a_faithful_relay_passes(conforming_runs: tuple[Capture, ...]) -> None:
    rows = bench(*conforming_runs).truth
    assert {name: row.verdict for name, row in rows.items()} == dict.fromkeys(rows, Verdict.PASS)


def test_where_nothing_came_out_nothing_is_a_pass(conforming: Capture) -> None:
    run = replace(conforming.run, observed={})
    rows = bench(replace(conforming, run=run, exports=())).truth
    assert {row.verdict for row in rows.values()} == {Verdict.NOT_EXERCISED}


@pytest.mark.parametrize("lie", MUTANTS, ids=lambda lie: lie.name)
def test_each_lie_breaks_what_it_claims(
    lie: MutantSpec, conforming_runs: tuple[Capture, ...]
) -> None:
    requirement = CONTRACT.requirement(lie.breaks[0])
    lied = mutate(conforming_runs, requirement, lie, LIES)
    rows = bench(*lied).truth
    broken = {name for name, row in rows.items() if row.verdict is not Verdict.PASS}
    assert broken == set(lie.breaks)


def test_each_lie_is_told() -> None:
    assert {str(lie.operation["named"]) for lie in MUTANTS} == set(LIES)
