"""Which runs a requirement is judged in, and what several of them say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.requirement import DRAWN
from harness.findings import Judged, NotExercised, Outcome, RunName
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

LENGTH = ("attributes", "n")
GATE = "OTEL_LOG_USER_PROMPTS"
UNSEEN = "no event user_prompt was exported"


def prompt(**attributes: Any) -> dict[str, Any]:
    return {"body": "claude_code.user_prompt", "attributes": attributes}


GOOD, BAD = [prompt(n=1)], [prompt(other=1)]


def judged(outcome: Outcome) -> Judged:
    assert isinstance(outcome, Judged), outcome
    return outcome


@pytest.mark.parametrize(
    ("given", "environment", "traits", "concerned"),
    [
        ({}, {}, (), True),
        ({GATE: "1"}, {GATE: "1"}, (), True),
        ({GATE: "1"}, {GATE: "0"}, (), False),
        ({GATE: "1"}, {}, (), False),
        ({GATE: None}, {}, (), True),
        ({GATE: None}, {GATE: ""}, (), True),
        ({GATE: None}, {GATE: "1"}, (), False),
        ({"a_terminal": True}, {}, ("a_terminal",), True),
        ({"a_terminal": True}, {}, (), False),
        ({"a_terminal": True}, {}, ("a_terminal_too",), False),
        ({"a_terminal": False}, {}, (), True),
        ({"a_terminal": False}, {}, ("an_account",), True),
        ({"a_terminal": False}, {}, ("a_terminal",), False),
        ({GATE: "1", "a_terminal": True}, {GATE: "1"}, ("a_terminal",), True),
        ({GATE: "1", "a_terminal": True}, {GATE: "1"}, (), False),
        ({GATE: "1", "a_terminal": True}, {}, ("a_terminal",), False),
    ],
)
def test_given(
    judge: Judge,
    viewer: Viewer,
    requirement: Require,
    given: dict[str, str | bool | None],
    environment: dict[str, str],
    traits: tuple[str, ...],
    concerned: bool,
) -> None:
    view = viewer(events=GOOD, environment=environment, traits=traits)
    asked = requirement("present", path=LENGTH, given=given)
    assert isinstance(judge.judge(asked, [view]).outcome, Judged) is concerned


@pytest.mark.parametrize(
    ("scenarios", "given", "words"),
    [
        ((), {}, "every run"),
        (("a",), {}, "runs of a"),
        (("a", "b"), {}, "runs of a, b"),
        ((), {GATE: "1"}, f"runs with {GATE}=1"),
        ((), {GATE: None}, f"runs without {GATE}"),
        ((), {"a_terminal": True}, "runs with a terminal"),
        ((), {"a_terminal": False}, "runs without a terminal"),
        (
            ("a",),
            {GATE: "1", "an_account": False},
            f"runs of a with {GATE}=1, without an account",
        ),
    ],
)
def test_the_runs_of_a_requirement_in_words(
    judge: Judge,
    requirement: Require,
    scenarios: tuple[str, ...],
    given: dict[str, str | bool | None],
    words: str,
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=scenarios, given=given)
    assert asked.exercised_by == words
    assert judge.judge(asked, []).outcome == NotExercised(f"there was none of: {words}")


def test_without_scenarios_every_run_is_judged(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    views = [viewer(events=GOOD), viewer(events=BAD, scenario="holiday")]
    outcome = judged(judge.judge(asked, views).outcome)
    assert findings(outcome) == ["only other"]
    assert outcome.looked_at == 2
    assert outcome.findings[0].where.startswith("holiday over http/json · ")


def test_one_scenario_is_enough(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    for events, other in ((GOOD, []), ([], GOOD)):
        views = [viewer(events=events), viewer(events=other, scenario="holiday")]
        assert judge.judge(asked, views).outcome == Judged(1)
    neither = [viewer(), viewer(scenario="holiday")]
    assert judge.judge(asked, neither).outcome == NotExercised(UNSEEN)


def test_a_scenario_counts_only_where_each_of_its_protocols_shows_it(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    seen = viewer(events=GOOD, protocol=Protocol.GRPC)
    unseen = viewer(protocol=Protocol.HTTP_JSON)
    judgement = judge.judge(asked, [seen, unseen])
    assert judgement.outcome == NotExercised(f"http/json: {UNSEEN}")
    assert judgement.by_protocol == {
        Protocol.GRPC: Judged(1),
        Protocol.HTTP_JSON: NotExercised(UNSEEN),
    }
    # A scenario that never shows it says nothing of the one that does on some protocol.
    idle = [viewer(protocol=each, scenario="idle") for each in Protocol]
    assert judge.judge(asked, [seen, unseen, *idle]).outcome == NotExercised(f"http/json: {UNSEEN}")
    # Another scenario that shows it on each of its protocols does.
    whole = viewer(events=GOOD, scenario="holiday", protocol=Protocol.HTTP_JSON)
    judgement = judge.judge(asked, [seen, unseen, whole])
    assert judgement.outcome == Judged(2)
    assert judgement.by_protocol == dict.fromkeys([Protocol.GRPC, Protocol.HTTP_JSON], Judged(1))
    wrong = viewer(events=BAD, protocol=Protocol.GRPC)
    assert findings(judge.judge(asked, [wrong, unseen]).outcome) == ["only other"]


def test_one_drawn_run_is_enough_whatever_its_protocol(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    drawn = {"scenario": "fuzz", "traits": (DRAWN,)}
    views = [
        viewer(protocol=Protocol.GRPC, **drawn),
        viewer(protocol=Protocol.GRPC, events=GOOD, **drawn),
        viewer(protocol=Protocol.HTTP_JSON, **drawn),
    ]
    assert judge.judge(asked, views).outcome == Judged(1)
    assert judge.judge(asked, views[::2]).outcome == NotExercised(UNSEEN)


def test_what_a_drawn_run_shows_can_be_seen_by_hand(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    environment = {"OTEL_RESOURCE_ATTRIBUTES": "a=x y"}
    lines = [
        finding.by_hand
        for traits in ((DRAWN,), ())
        for view in [viewer(events=BAD, traits=traits, environment=environment)]
        for finding in judged(judge.judge(asked, [view]).outcome).findings
    ]
    assert "OTEL_RESOURCE_ATTRIBUTES='a=x y'" in lines[0]
    assert lines[1] == ""


def test_reasons_are_said_once_each(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    asked = requirement("exported", scenarios=(), when="a prompt")
    views = [viewer(protocol=each, scenario=name) for each in Protocol for name in ("a", "b")]
    assert judge.judge(asked, views).outcome == NotExercised("the run saw no prompt")


def test_two_requirements_of_one_name_are_judged_each(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    view = viewer(events=BAD)
    present = requirement("present", path=LENGTH)
    assert findings(judge.judge(present, [view]).outcome) == ["only other"]
    assert findings(judge.judge(requirement("absent", path=LENGTH), [view]).outcome) == []


# --- the runs of a finding


def test_a_finding_names_the_run_that_shows_it(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    asked = requirement("present", path=LENGTH, scenarios=())
    views = [
        viewer(events=GOOD),
        viewer(events=BAD, protocol=Protocol.GRPC, scenario="holiday"),
        viewer(events=BAD, traits=(DRAWN,), scenario="fuzz"),
    ]
    assert [each.runs for each in judged(judge.judge(asked, views).outcome).findings] == [
        (RunName("holiday", "grpc"),),
        (RunName("fuzz", "http/json", drawn=True),),
    ]


def test_a_finding_across_runs_names_those_it_takes(
    judge: Judge, viewer: Viewer, requirement: Require
) -> None:
    def runs(check: str, *views: CaptureView, **fields: Any) -> tuple[RunName, ...]:
        asked = requirement(check, **{"path": LENGTH, "scenarios": (), **fields})
        (finding,) = judged(judge.judge(asked, views).outcome).findings
        return finding.runs

    one, two = viewer(events=[prompt(n="a")]), viewer(events=[prompt(n="b")], scenario="other")
    over_grpc = {"protocol": Protocol.GRPC}
    again = viewer(events=[prompt(n="a")], **over_grpc)
    day, grpc = RunName("working_day", "http/json"), RunName("working_day", "grpc")
    assert runs("distinct", two, one, again) == (day, grpc)
    assert runs("equal_in_all", one, viewer(events=[prompt(n="b")], **over_grpc)) == (day, grpc)
    # Two runs over one protocol would not be enough to judge by.
    other = RunName("other", "http/json")
    assert runs("equal_in_all", one, two, again) == (day, other, grpc)
    bare = viewer(events=[prompt()], **over_grpc)
    shape = {"path": (), "names": ["user_prompt"]}
    silent = viewer(events=[prompt(n="a")], scenario="other")
    views = (silent, one, bare, viewer(events=[prompt()]))
    assert runs("same_everywhere", *views, **shape) == (day, grpc)


# --- across runs


def test_distinct(judge: Judge, viewer: Viewer, requirement: Require, findings: Findings) -> None:
    asked = requirement("distinct", path=LENGTH, scenarios=())
    first = viewer(events=[prompt(n="a"), prompt(n="a")])
    other = viewer(events=[prompt(n="b")], scenario="holiday")
    assert findings(judge.judge(asked, [first, other]).outcome) == []
    same = viewer(events=[prompt(n="b"), prompt(n="a")], protocol=Protocol.GRPC)
    outcome = judged(judge.judge(asked, [first, same]).outcome)
    assert [(each.expected, each.seen, each.where) for each in outcome.findings] == [
        ("another than in working_day over http/json", '"a" (string)', "working_day over grpc")
    ]
    number = viewer(events=[prompt(n=1)], protocol=Protocol.GRPC)
    text = viewer(events=[prompt(n="1")])
    assert findings(judge.judge(asked, [number, text]).outcome) == []
    why = NotExercised("fewer than two runs carried attributes.n")
    assert judge.judge(asked, [first]).outcome == why
    assert judge.judge(asked, [first, viewer(events=BAD, scenario="holiday")]).outcome == why


def test_equal_in_all(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("equal_in_all", path=LENGTH)
    first = viewer(events=[prompt(n="a"), prompt()])
    same = viewer(events=[prompt(n="a")], protocol=Protocol.GRPC)
    judgement = judge.judge(asked, [first, same])
    assert judgement.outcome == Judged(2)
    assert judgement.by_protocol == {}
    other = viewer(events=[prompt(n="b")], protocol=Protocol.GRPC)
    assert findings(judge.judge(asked, [first, other]).outcome) == ['"b" (string)']
    within = viewer(events=[prompt(n="a"), prompt(n="b")])
    assert findings(judge.judge(asked, [within, same]).outcome) == ['"b" (string)']
    why = NotExercised("fewer than two protocols carried attributes.n")
    for views in ([first], [first, viewer(events=BAD, protocol=Protocol.GRPC)]):
        assert judge.judge(asked, views).outcome == why
