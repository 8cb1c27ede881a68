"""Whether a whole run fails, with runs that the subject did not go through."""

from __future__ import annotations

import pytest

from harness.findings import Level, Verdict
from harness.judging.decision import NOTHING_EXERCISED, Decision, decision
from harness.judging.verdicts import Row


def rows(*verdicts: Verdict) -> list[Row]:
    return [Row(f"a.b{n}", Level.MUST, each, "It.", "s") for n, each in enumerate(verdicts)]


ONE = "1 run could not be driven to the end"
TWO = "2 runs could not be driven to the end"


@pytest.mark.parametrize(
    ("verdicts", "undriven", "why"),
    [
        ([Verdict.PASS], 1, ONE),
        ([Verdict.PASS], 2, TWO),
        ([Verdict.KNOWN], 2, TWO),
        ([], 1, f"{NOTHING_EXERCISED}; {ONE}"),
        ([Verdict.PASS, Verdict.FAIL], 1, f"1 of 2 requirements fail the run; {ONE}"),
        (
            [Verdict.ERROR],
            2,
            f"{NOTHING_EXERCISED}; 1 of 1 requirements fail the run; {TWO}",
        ),
    ],
)
def test_a_run_that_was_not_driven_fails_the_whole(
    verdicts: list[Verdict], undriven: int, why: str
) -> None:
    assert decision(rows(*verdicts), undriven) == Decision(True, why)


def test_without_one_the_rows_decide() -> None:
    fine = Decision(False, "no MUST is broken, listed deviations aside")
    assert decision(rows(Verdict.PASS, Verdict.KNOWN), 0) == fine
    assert decision(rows(Verdict.FAIL)) == Decision(True, "1 of 1 requirements fail the run")
