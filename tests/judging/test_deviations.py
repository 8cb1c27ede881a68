"""Listed deviations that depend on a race, and runs that were not all made."""

from __future__ import annotations

import pytest

from harness.contract.catalogue import Contract, load
from harness.contract.files import read_json, schema_root
from harness.contract.versions import Version, VersionRange
from harness.findings import Finding, Judged, NotExercised, Outcome, Verdict
from harness.judging.expectations import (
    NO_EXPECTATIONS,
    Expectation,
    Expectations,
    load_expectations,
)
from harness.judging.judge import CHECKS, Judgement
from harness.judging.verdicts import Row, decide, fails_the_run
from harness.themes.catalogue import SCENARIOS

NAME = "metrics.commit_count.unit"
GOOD = Judged(3)
BAD = Judged(3, (Finding("a", "b", "c"),))
UNSEEN = NotExercised("nobody came")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(Version(2, 1, 31), checks=CHECKS, scenarios=SCENARIOS)


def decided(
    contract: Contract,
    outcome: Outcome,
    *,
    listed: bool = True,
    intermittent: bool = False,
    whole: bool = True,
) -> Row:
    entry = Expectation(NAME, VersionRange(), "the reason", "the evidence", intermittent)
    expectations = Expectations([entry]) if listed else NO_EXPECTATIONS
    judgement = Judgement(outcome)
    return decide(contract, contract.requirement(NAME), judgement, expectations, whole=whole)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("outcome", "verdict", "reason", "evidence"),
    [
        (BAD, Verdict.KNOWN, "the reason", "the evidence"),
        (GOOD, Verdict.PASS, "", ""),
        (UNSEEN, Verdict.NOT_EXERCISED, "nobody came", ""),
    ],
)
def test_an_intermittent_deviation_need_not_show_itself(
    contract: Contract, outcome: Outcome, verdict: Verdict, reason: str, evidence: str, whole: bool
) -> None:
    row = decided(contract, outcome, intermittent=True, whole=whole)
    assert (row.verdict, row.reason, row.evidence) == (verdict, reason, evidence)
    assert not fails_the_run(row)


@pytest.mark.parametrize(
    ("outcome", "whole", "part"),
    [
        (BAD, Verdict.KNOWN, Verdict.KNOWN),
        (GOOD, Verdict.FIXED, Verdict.PASS),
        (UNSEEN, Verdict.ERROR, Verdict.NOT_EXERCISED),
    ],
)
def test_a_part_of_the_runs_does_not_prove_a_deviation_gone(
    contract: Contract, outcome: Outcome, whole: Verdict, part: Verdict
) -> None:
    assert decided(contract, outcome).verdict is whole
    row = decided(contract, outcome, whole=False)
    assert row.verdict is part
    assert not fails_the_run(row)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(BAD, Verdict.FAIL), (GOOD, Verdict.PASS), (UNSEEN, Verdict.NOT_EXERCISED)],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_not_listed_is_judged_alike_by_a_part(
    contract: Contract, outcome: Outcome, verdict: Verdict, whole: bool
) -> None:
    assert decided(contract, outcome, listed=False, whole=whole).verdict is verdict


def test_a_listed_deviation_that_was_not_seen_says_why(contract: Contract) -> None:
    row = decided(contract, UNSEEN)
    assert row.reason == "a deviation is listed, but nothing was seen to tell: nobody came"
    assert row.evidence == "the evidence"


def test_the_list_marks_what_is_intermittent() -> None:
    deviations = read_json(schema_root() / "expectations.json")["deviations"]
    names = [name for each in deviations for name in each["requirements"]]
    marked = [each for each in deviations if each.get("intermittent")]
    assert marked
    for each in marked:
        version = Version.parse(each.get("since", "2.1.31"))
        expectations = load_expectations(version, names=names)
        for name in each["requirements"]:
            found = expectations.get(name)
            assert found is not None
            assert found.intermittent
    steady = next(each for each in deviations if not each.get("intermittent"))
    version = Version.parse(steady.get("since", "2.1.31"))
    found = load_expectations(version, names=names).get(steady["requirements"][0])
    assert found is not None
    assert not found.intermittent
