"""A promise that is not exercised where every measured release exercised it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import SubjectFacts
from harness.contract.catalogue import Contract
from harness.contract.exercised import Exercised, Measured, Row, Table
from harness.contract.requirement import DRAWN
from harness.contract.versions import Version, VersionRange
from harness.findings import Judged, NotExercised, Verdict
from harness.judging.expectations import NO_EXPECTATIONS, Expectation, Expectations
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.judging.verdicts import decide, exercised, fails_the_run
from harness.otlp.model import Protocol
from harness.record.jsonl import row_from_plain, row_to_plain

if TYPE_CHECKING:
    from tests.conftest import Require, Viewer

SINCE, NEWEST = Version(2, 1, 31), Version(2, 1, 332)
ALWAYS = Exercised(
    Table([Row(("test.requirement",), ("working_day",), Measured(SINCE, NEWEST, True))])
)


@pytest.fixture
def judge(contract: Contract) -> Judge:
    return Judge(contract, measured=ALWAYS)


def event(**attributes: Any) -> dict[str, Any]:
    return {"body": "claude_code.user_prompt", "attributes": attributes}


def test_a_field_that_is_left_out(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    asked = requirement("valid_if_present", path=("attributes", "effort"))
    judgement = judge.judge(asked, [viewer(events=[event(other=1)])])
    assert isinstance(judgement.outcome, NotExercised)
    (finding,) = judgement.silenced
    assert finding.expected == (
        "exercised in working_day, as on every release measured from 2.1.31 to 2.1.332"
    )
    assert finding.seen == (
        "not exercised: no event user_prompt carried attributes.effort "
        "(a sign that the field attributes.effort was left out or renamed)"
    )
    assert finding.where == "working_day over http/json · event user_prompt · attributes.effort"
    assert [run.scenario for run in finding.runs] == ["working_day"]


@pytest.mark.parametrize(
    ("facts", "params", "sign"),
    [
        ({}, {}, "the event user_prompt was not sent at all, or under another name"),
        (
            {"events": [event(tool="Nonsense", n=1)]},
            {"where": {"attributes/tool": "Bash"}},
            "attributes.tool, by which items are chosen, was left out, renamed or has another "
            "value",
        ),
    ],
)
def test_which_lie_would_explain_it(
    judge: Judge,
    viewer: Viewer,
    requirement: Require,
    facts: dict[str, Any],
    params: dict[str, Any],
    sign: str,
) -> None:
    asked = requirement("present", path=("attributes", "n"), **params)
    (finding,) = judge.judge(asked, [viewer(**facts)]).silenced
    assert finding.seen.endswith(f"(a sign that {sign})")


def test_an_id_that_joins_nothing(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    asked = requirement("tool_outcome", path=("attributes", "success"))
    (finding,) = judge.judge(asked, [viewer(events=[event(success="true")])]).silenced
    assert "an id or a name joins nothing that happened" in finding.seen


def test_what_is_exercised_is_not_silent(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    asked = requirement("present", path=("attributes", "n"))
    assert judge.judge(asked, [viewer(events=[event(n=1)])]).silenced == ()


def other_scenario(view: CaptureView) -> CaptureView:
    return CaptureView(replace(view.capture, run=replace(view.run, scenario="toolbox")))


@pytest.mark.parametrize(
    "facts",
    [
        {"scenario": "toolbox"},
        {"traits": (DRAWN,)},
        {"subject": SubjectFacts("test", "/bin/test", "2.1.30")},
    ],
    ids=["another scenario", "drawn input", "older than what was measured"],
)
def test_where_nothing_is_expected(
    judge: Judge, viewer: Viewer, requirement: Require, facts: dict[str, Any]
) -> None:
    asked = requirement("present", path=("attributes", "n"), scenarios=("working_day", "toolbox"))
    assert judge.judge(asked, [viewer(**facts)]).silenced == ()


def test_the_release_of_the_run_decides(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    later = VersionRange(since=Version(2, 1, 240))
    asked = replace(requirement("present", path=("attributes", "n")), versions=later)
    assert judge.judge(asked, [viewer()]).silenced == ()


def test_a_judge_that_was_told_nothing_expects_nothing(
    contract: Contract, viewer: Viewer, requirement: Require
) -> None:
    asked = requirement("present", path=("attributes", "n"))
    assert Judge(contract).judge(asked, [viewer()]).silenced == ()


NAME = "events.user_prompt.prompt_length.present"


@pytest.fixture
def silent_here(contract: Contract) -> Judge:
    rows = [Row((NAME,), ("working_day",), Measured(SINCE, NEWEST, True))]
    return Judge(contract, measured=Exercised(Table(rows)))


@pytest.mark.parametrize("listed", [False, True])
def test_silence_fails_whatever_other_runs_showed(
    contract: Contract, silent_here: Judge, viewer: Viewer, listed: bool
) -> None:
    asked = contract.requirement(NAME)
    views = [viewer(scenario="toolbox", events=[event()]), viewer(protocol=Protocol.GRPC)]
    judgement = silent_here.judge(asked, views)
    assert isinstance(judgement.outcome, Judged)
    entry = Expectation(NAME, VersionRange(), "It is left out.", "Seen.")
    row = decide(contract, asked, judgement, Expectations([entry]) if listed else NO_EXPECTATIONS)
    assert row.verdict is Verdict.FAIL
    assert fails_the_run(row)
    found = [finding.seen for finding in row.findings]
    # Of a deviation that is listed, silence is the news.
    silence = found.pop(0 if listed else 1)
    assert silence.startswith("not exercised: no event user_prompt was exported")
    assert len(found) == 1
    assert row.by_protocol[Protocol.GRPC] is Verdict.FAIL
    assert row.looked_at == 2
    assert exercised(row)


def test_what_only_fell_silent_exercised_nothing(
    contract: Contract, silent_here: Judge, viewer: Viewer
) -> None:
    asked = contract.requirement(NAME)
    row = decide(contract, asked, silent_here.judge(asked, [viewer()]), NO_EXPECTATIONS)
    assert (row.verdict, row.silent, exercised(row)) == (Verdict.FAIL, True, False)
    assert row_from_plain(row_to_plain(row)) == row
