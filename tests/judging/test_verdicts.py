from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.contract.catalogue import Contract, load
from harness.contract.versions import Version, VersionRange
from harness.errors import HarnessError
from harness.findings import Finding, Judged, Level, NotExercised, Outcome, Verdict
from harness.judging.expectations import (
    NO_EXPECTATIONS,
    Expectation,
    Expectations,
    load_expectations,
)
from harness.judging.judge import CHECKS, Judgement
from harness.judging.verdicts import Row, broken, counts, decide, exercised, fails_the_run
from harness.otlp.model import Protocol
from harness.themes.catalogue import SCENARIOS

MUST = "metrics.commit_count.unit"
SHOULD = "scopes.logs.name"
MAY = "transport.json.integers_as_strings"
LATER = "metrics.lines_of_code_count.model.present"

PASS = Judged(3)
FAIL = Judged(3, (Finding("a", "b", "c"),))
UNSEEN = NotExercised("nobody came")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(Version(2, 1, 31), checks=CHECKS, scenarios=SCENARIOS)


def row(contract: Contract, name: str, outcome: Outcome, listed: Sequence[str] = ()) -> Row:
    expectations = Expectations(
        Expectation(each, VersionRange(), "the reason", "the evidence") for each in listed
    )
    return decide(contract, contract.requirement(name), Judgement(outcome), expectations)


@pytest.mark.parametrize(
    ("name", "outcome", "listed", "verdict", "fails"),
    [
        (MUST, PASS, (), Verdict.PASS, False),
        (MUST, FAIL, (), Verdict.FAIL, True),
        (SHOULD, FAIL, (), Verdict.FAIL, False),
        (MAY, FAIL, (), Verdict.FAIL, False),
        (MUST, UNSEEN, (), Verdict.NOT_EXERCISED, False),
        (MUST, FAIL, (MUST,), Verdict.KNOWN, False),
        (MUST, PASS, (MUST,), Verdict.FIXED, True),
        (SHOULD, PASS, (SHOULD,), Verdict.FIXED, True),
        (MUST, UNSEEN, (MUST,), Verdict.ERROR, True),
        (MUST, FAIL, (SHOULD,), Verdict.FAIL, True),
    ],
)
def test_from_outcome_to_verdict_to_exit(
    contract: Contract,
    name: str,
    outcome: Outcome,
    listed: Sequence[str],
    verdict: Verdict,
    fails: bool,
) -> None:
    decided = row(contract, name, outcome, listed)
    assert decided.verdict is verdict
    assert fails_the_run(decided) is fails


def test_a_row_tells_what_was_seen_and_where_it_is_written(contract: Contract) -> None:
    judgement = Judgement(FAIL, {Protocol.GRPC: FAIL, Protocol.HTTP_JSON: UNSEEN})
    decided = decide(contract, contract.requirement(MUST), judgement, NO_EXPECTATIONS)
    assert decided.level is Level.MUST
    assert decided.looked_at == 3
    assert decided.findings == FAIL.findings
    assert decided.by_protocol == {
        Protocol.GRPC: Verdict.FAIL,
        Protocol.HTTP_JSON: Verdict.NOT_EXERCISED,
    }
    assert decided.source == ("Claude Code documentation, Monitoring (2026-02), section “Metrics”")


def test_a_known_deviation_keeps_its_evidence_and_what_was_seen(contract: Contract) -> None:
    decided = row(contract, MUST, FAIL, (MUST,))
    assert (decided.reason, decided.evidence) == ("the reason", "the evidence")
    assert decided.findings == FAIL.findings


def test_a_promise_of_another_version_is_not_applicable(contract: Contract) -> None:
    decided = decide(contract, contract.requirement(LATER), None, NO_EXPECTATIONS)
    assert decided.verdict is Verdict.NOT_APPLICABLE
    assert decided.reason == "holds from 2.1.172; the subject is 2.1.31"
    assert not fails_the_run(decided)
    assert not exercised(decided)


def test_an_applicable_requirement_must_be_judged(contract: Contract) -> None:
    with pytest.raises(ValueError, match="was not judged"):
        decide(contract, contract.requirement(MUST), None, NO_EXPECTATIONS)


def test_what_we_could_not_judge_is_our_error(contract: Contract) -> None:
    decided = broken(contract.requirement(MUST), "the recorder broke")
    assert decided.verdict is Verdict.ERROR
    assert fails_the_run(decided)
    assert not exercised(decided)


def test_counts_are_seeded_with_zero(contract: Contract) -> None:
    counted = counts([row(contract, MUST, PASS), row(contract, SHOULD, FAIL)])
    assert set(counted) == set(Verdict)
    assert counted[Verdict.PASS] == counted[Verdict.FAIL] == 1
    assert counted[Verdict.KNOWN] == 0


def test_two_expectations_for_one_requirement_are_refused() -> None:
    twice = Expectation(MUST, VersionRange(), "the reason", "the evidence")
    with pytest.raises(HarnessError, match=f"two expectations apply to {MUST}"):
        Expectations([twice, twice])


@pytest.mark.parametrize("version", [f"2.1.{patch}" for patch in range(31, 400, 3)])
def test_the_shipped_list_fits_every_version(contract: Contract, version: str) -> None:
    names = [requirement.name for requirement in contract.requirements]
    expectations = load_expectations(Version.parse(version), names=names)
    listed = [name for name in names if expectations.get(name)]
    assert len(listed) == len(expectations) > 0
    resolved = load(Version.parse(version), checks=CHECKS, scenarios=SCENARIOS)
    assert all(resolved.applies(resolved.requirement(name)) for name in listed), (
        "a deviation is listed for a version to which its requirement does not apply"
    )


def test_an_expectation_for_nobody_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"saw .*metrics\.commit_count\.unit"):
        load_expectations(Version(2, 1, 31), names=["only.this"])
