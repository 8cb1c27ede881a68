"""What people lose where a promise is broken: every promise says it."""

from __future__ import annotations

import pytest

from harness.assessment.job import Job
from harness.assessment.jobs import JOBS
from harness.contract.impacts import UNKNOWN, advice_for, impact_of, meaning, ruled
from harness.findings import Impact


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_every_requirement_has_an_impact_that_somebody_decided(job: Job) -> None:
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


@pytest.mark.parametrize(
    ("requirement", "impact"),
    [
        ("events.user_prompt.prompt.redacted_by_default", Impact.PRIVACY),
        ("standard.metrics.user_email.only_with_account", Impact.PRIVACY),
        ("collector_failures.grpc.unavailable.retried", Impact.LOSS),
        ("metrics.token_usage.exported", Impact.LOSS),
        ("metrics.token_usage.billed_in_frames", Impact.NUMBERS),
        ("endpoints.logs_endpoint", Impact.SETUP),
        ("headers_helper.at_start", Impact.INCONVENIENCE),
        ("metrics.commit_count.unit", Impact.FORM),
    ],
)
def test_what_people_lose(requirement: str, impact: Impact) -> None:
    assert impact_of(requirement) is impact
