"""Releases that are newer than a list of known deviations was measured on, and silent entries."""

from __future__ import annotations

import pytest

from harness.contract.catalogue import Contract, load
from harness.contract.exercised import NOTHING_MEASURED, Exercised, Measured, Row, Table
from harness.contract.versions import Version, VersionRange
from harness.findings import Finding, Judged, NotExercised, Outcome, RunName, Verdict
from harness.judging import verdicts
from harness.judging.expectations import NO_EXPECTATIONS, Expectation, Expectations
from harness.judging.judge import CHECKS, Judgement
from harness.judging.novelty import told_if_new
from harness.judging.verdicts import decide, exercised, fails_the_run
from harness.themes.catalogue import SCENARIOS

NAME = "metrics.commit_count.unit"
NEWEST, NEWER = Version(2, 1, 332), Version(2, 1, 999)
RUN = RunName("working_day", "grpc")
GOOD = Judged(3)
BAD = Judged(3, (Finding("a", "b", "c", runs=(RUN,)),))
UNSEEN = NotExercised("nobody came")
SILENT = (Finding("exercised", "not exercised", "d", runs=(RUN,)),)


@pytest.fixture(scope="module")
def contracts() -> dict[Version, Contract]:
    return {
        version: load(version, checks=CHECKS, scenarios=SCENARIOS) for version in (NEWEST, NEWER)
    }


Contracts = dict[Version, Contract]


def decided(
    contract: Contract,
    outcome: Outcome,
    silenced: tuple[Finding, ...] = (),
    *,
    intermittent: bool = False,
    silent: bool = False,
    newest: Version | None = NEWEST,
) -> verdicts.Row:
    entry = Expectation(
        NAME,
        VersionRange(),
        "the reason",
        "the evidence",
        intermittent,
        silent=silent,
        newest_measured=newest,
    )
    judgement = Judgement(outcome, silenced=silenced)
    return decide(contract, contract.requirement(NAME), judgement, Expectations([entry]))


@pytest.mark.parametrize(
    ("outcome", "within", "beyond"),
    [
        (BAD, Verdict.KNOWN, Verdict.KNOWN),
        (GOOD, Verdict.FIXED, Verdict.PASS),
        (UNSEEN, Verdict.ERROR, Verdict.NOT_EXERCISED),
    ],
)
def test_a_list_speaks_for_the_releases_that_it_was_measured_on(
    contracts: Contracts, outcome: Outcome, within: Verdict, beyond: Verdict
) -> None:
    assert decided(contracts[NEWEST], outcome).verdict is within
    row = decided(contracts[NEWER], outcome)
    assert row.verdict is beyond
    assert not fails_the_run(row)
    assert decided(contracts[NEWER], outcome, newest=None).verdict is within


def test_what_is_gone_is_news(contracts: Contracts) -> None:
    row = decided(contracts[NEWER], GOOD)
    assert row.news == (
        "a deviation that schemas/expectations.json lists up to 2.1.332, the newest release that "
        "it was measured on, is gone: the reason"
    )
    assert decided(contracts[NEWER], GOOD, intermittent=True).news == ""
    assert decided(contracts[NEWER], BAD).news == ""


@pytest.mark.parametrize(
    ("outcome", "silenced", "verdict", "counts"),
    [
        (UNSEEN, SILENT, Verdict.KNOWN, False),
        (GOOD, SILENT, Verdict.KNOWN, True),
        (BAD, SILENT, Verdict.FAIL, True),
        (BAD, (), Verdict.FAIL, True),
        (GOOD, (), Verdict.FIXED, True),
        (UNSEEN, (), Verdict.NOT_EXERCISED, False),
    ],
)
def test_silence_may_be_listed_and_excuses_nothing_else(
    contracts: Contracts,
    outcome: Outcome,
    silenced: tuple[Finding, ...],
    verdict: Verdict,
    counts: bool,
) -> None:
    row = decided(contracts[NEWEST], outcome, silenced, silent=True)
    assert (row.verdict, exercised(row)) == (verdict, counts)


def test_silence_is_not_excused_by_a_broken_promise(contracts: Contracts) -> None:
    assert decided(contracts[NEWEST], UNSEEN, SILENT).verdict is Verdict.FAIL


def told(
    contract: Contract,
    outcome: Outcome = BAD,
    *,
    newest: Version | None = NEWEST,
    known_then: tuple[str, ...] = (),
    seen_before: bool = True,
    requirement: str = NAME,
) -> str:
    promise = contract.requirement(requirement)
    row = decide(contract, promise, Judgement(outcome), NO_EXPECTATIONS)
    before = Row((requirement,), ("working_day",), Measured(Version(2, 1, 31), NEWEST, True))
    measured = Exercised(Table([before])) if seen_before else NOTHING_MEASURED
    expectations = Expectations((), (), newest, known_then)
    return told_if_new(row, promise, expectations, measured).news


def test_a_failure_that_is_new_says_so(contracts: Contracts) -> None:
    newer = contracts[NEWER]
    news = "new in this release: 2.1.332, the newest release that was measured, keeps the promise"
    assert told(newer) == news
    assert told(newer, GOOD) == ""
    assert told(newer, newest=None) == ""
    assert told(newer, known_then=(NAME,)) == ""
    assert told(newer, seen_before=False) == ""
    drawn = Finding("a", "b", "c", runs=(RunName("working_day", "grpc", drawn=True),))
    assert told(newer, Judged(1, (drawn,))) == ""
