"""What people lose where a promise is broken: every promise says it."""

from __future__ import annotations

import pytest

from harness.assessment.job import JOBS
from harness.contract.impacts import UNKNOWN, advice_for, impact_of, meaning, ruled
from harness.findings import Impact
from harness.judging.expectations import packaged_list


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_every_requirement_has_an_impact_that_somebody_decided(job) -> None:  # type: ignore[no-untyped-def]
    contract = job.contract("2.1.332")
    undecided = [
        requirement.name
        for requirement in contract.requirements
        if ruled(requirement.name) is None and requirement.impact is UNKNOWN
    ]
    assert not undecided, "add a pattern to schemas/impacts.json, or an impact beside them"


def test_the_first_rule_decides() -> None:
    assert impact_of("privacy.api_key") is Impact.PRIVACY
    assert impact_of("privacy.prompt.opened") is Impact.LOSS
    assert impact_of("nobody.knows") is UNKNOWN


def test_each_impact_has_words_for_people() -> None:
    assert all(meaning(each) and advice_for(each) for each in Impact)


def test_every_listed_deviation_says_what_to_do() -> None:
    assert not [each.requirement for each in packaged_list() if not each.advice]
