"""Power: nothing passed -> not exercised, a faithful relay -> pass, each lie -> what it claims."""

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
from harness.relay_themes.passing.facets import KINDS
from harness.relay_themes.passing.measures import MEASURES
from harness.relay_themes.passing.mutants import LIES


def the_contract() -> Contract:
    loaded = COLLECTOR.contract("0.0.0")
    own = tuple(
        each
        for each in loaded.requirements
        if each.name.startswith(("passing.", "privacy.must_not_come_out."))
    )
    return replace(loaded, requirements=own)


CONTRACT = the_contract()
MUTANTS = [lie for requirement in CONTRACT.requirements for lie in requirement.mutants]


def bench(*captures: Capture) -> Bench:
    return Bench.of(CONTRACT, captures, by_name(*MEASURES))


@pytest.fixture(scope="module")
def captures(
    faithful: Capture, declaring: Capture, disturbed: tuple[Capture, ...]
) -> tuple[Capture, ...]:
    return (faithful, declaring, *disturbed)


def test_relays_that_do_as_declared_pass_everything(captures: tuple[Capture, ...]) -> None:
    rows = bench(*captures).truth
    reasons = {name: (row.reason, row.findings) for name, row in rows.items()}
    verdicts = {name: row.verdict for name, row in rows.items()}
    assert verdicts == dict.fromkeys(rows, Verdict.PASS), reasons


def test_where_nothing_was_compared_nothing_is_a_pass(faithful: Capture) -> None:
    run = replace(faithful.run, observed={})
    rows = bench(replace(faithful, run=run)).truth
    assert {row.verdict for row in rows.values()} == {Verdict.NOT_EXERCISED}


def test_where_nothing_came_out_everything_is_lost(faithful: Capture) -> None:
    sent = tuple(each for each in faithful.exports if each.collector == "sent")
    rows = bench(replace(faithful, exports=sent)).truth
    failed = {name for name, row in rows.items() if row.verdict is Verdict.FAIL}
    assert failed == {f"passing.{signal}.not_lost" for signal in ("metrics", "logs", "traces")}
    assert rows["passing.logs.body"].verdict is Verdict.NOT_EXERCISED


@pytest.mark.parametrize("lie", MUTANTS, ids=lambda lie: lie.name)
def test_each_lie_breaks_what_it_claims(lie: MutantSpec, captures: tuple[Capture, ...]) -> None:
    requirement = CONTRACT.requirement(lie.owner)
    rows = bench(*mutate(captures, requirement, lie, LIES)).truth
    broken = {name for name, row in rows.items() if row.verdict is not Verdict.PASS}
    assert broken == set(lie.breaks), {name: rows[name].findings for name in broken}
    for finding in rows[lie.owner].findings:
        assert finding.expected
        assert finding.seen
        assert finding.where


def test_each_lie_is_told() -> None:
    assert {str(lie.operation["named"]) for lie in MUTANTS} == set(LIES)


def test_every_kind_of_change_is_judged() -> None:
    judged = set()
    for requirement in CONTRACT.requirements:
        where = requirement.params.get("where")
        if requirement.selects.name == "unchanged" and isinstance(where, dict) and "kind" in where:
            for signal in [where["signal"]] if "signal" in where else KINDS:
                judged.add((signal, where["kind"]))
    assert judged == {(signal, kind) for signal, kinds in KINDS.items() for kind in kinds}
