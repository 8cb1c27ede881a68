"""Sums against what really happened, at the edges of what may be counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Decision, GroundTruth
from harness.contract.requirement import Selector
from harness.findings import Judged, NotExercised, Outcome
from harness.judging.checks.accounting import total
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

TOKENS = "claude_code.token.usage"
COST = "claude_code.cost.usage"

#: Judge one view, by a check and its params.
Ask = Callable[..., Outcome]


def call(model: str = "opus", status: int = 200, **facts: Any) -> ApiCall:
    return ApiCall(
        model=model,
        status=status,
        auxiliary=facts.pop("auxiliary", False),
        streamed=True,
        request_id="r",
        **facts,
    )


def calls(*made: ApiCall) -> GroundTruth:
    return GroundTruth(api_calls=made)


def tokens(number: float, kind: str = "input", model: str = "opus") -> Any:
    return TOKENS, number, {"type": kind, "model": model}


def request(**attributes: Any) -> dict[str, Any]:
    return {"body": "claude_code.api_request", "attributes": attributes}


@pytest.fixture
def ask(judge: Judge, requirement: Require) -> Ask:
    def asked(check: str, view: CaptureView, **params: Any) -> Outcome:
        outcome: Outcome = judge.judge(requirement(check, **params), [view]).outcome
        return outcome

    return asked


@pytest.fixture
def billed(ask: Ask) -> Ask:
    def asked(view: CaptureView, **params: Any) -> Outcome:
        return ask("tokens_billed", view, kind="metric", name=TOKENS, **params)

    return asked


# --- counted


def lines(number: float, kind: str = "added", **facts: Any) -> Any:
    return "lines", number, {"type": kind}, facts


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([lines(2), lines(3)], []),
        ([lines(2)], ["2 in 1 data points"]),
        ([lines(5), lines(1)], ["6 in 2 data points"]),
        ([lines(2, temporality="cumulative"), lines(5, temporality="cumulative")], []),
        (
            [lines(5, temporality="cumulative"), lines(2, temporality="cumulative")],
            ["2 in 2 data points"],
        ),
        ([lines(2, temporality="cumulative"), lines(3, "removed", temporality="cumulative")], []),
        ([lines(3, temporality="cumulative"), lines(2)], []),
    ],
    ids=[
        "deltas add up",
        "one is lost",
        "one is doubled",
        "the last total counts",
        "not the largest",
        "each stream has its own total",
        "a total and a delta",
    ],
)
def test_counted(
    ask: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    view = viewer(points=points, truth=GroundTruth(lines_added=5))
    outcome = ask("counted", view, kind="metric", name="lines", when="an added line")
    assert findings(outcome) == seen


def test_counted_looks_at_what_where_chooses(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = GroundTruth(lines_added=5, lines_removed=1)
    view = viewer(points=[lines(5), lines(9, "removed")], truth=truth)
    asked = {"kind": "metric", "name": "lines"}
    added = {"when": "an added line", "where": {"attributes/type": "added"}}
    assert findings(ask("counted", view, **asked, **added)) == []
    removed = {"when": "a removed line", "where": {"attributes/type": "removed"}}
    outcome = ask("counted", view, **asked, **removed)
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert finding.expected == "1 in all: so often there was a removed line"
    assert finding.seen == "9 in 1 data points"
    assert finding.where == "working_day over http/json · metric lines"


def test_what_never_happened_must_not_be_counted(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    counted = {"kind": "metric", "name": "commits", "when": "a commit"}
    assert findings(ask("counted", viewer(points=[("commits", 0.0, {})]), **counted)) == []
    assert findings(ask("counted", viewer(points=[("commits", 1.0, {})]), **counted)) == [
        "1 in 1 data points"
    ]


def test_a_point_without_a_value_adds_nothing(viewer: Viewer) -> None:
    items = viewer(points=[lines(2), lines(3)]).select(Selector("metric", "lines"))
    assert total(items) == 5
    empty = {**items[0].view, "value": None}
    assert total([type(items[0])("here", empty), items[1]]) == 3


# --- one_each


def rejected(number: int) -> Decision:
    return Decision("Bash", f"t{number}", {}, False, "user_reject")


@pytest.mark.parametrize(
    ("events", "besides", "seen"),
    [
        (2, None, []),
        (1, None, ["1"]),
        (3, None, ["3"]),
        (3, "a rejected tool", []),
        (2, "a rejected tool", []),
        (4, "a rejected tool", ["4"]),
        (1, "a rejected tool", ["1"]),
    ],
)
def test_one_each(
    ask: Ask, viewer: Viewer, findings: Findings, events: int, besides: str | None, seen: list[str]
) -> None:
    truth = GroundTruth(prompts=("a", "b"), decisions=(rejected(1),))
    view = viewer(events=[{"body": "user_prompt"}] * events, truth=truth)
    params = {"besides": besides} if besides else {}
    assert findings(ask("one_each", view, when="a prompt", **params)) == seen


def test_one_each_says_what_would_do(ask: Ask, viewer: Viewer) -> None:
    truth = GroundTruth(prompts=("a", "b"), decisions=(rejected(1),))
    view = viewer(events=[{"body": "user_prompt"}], truth=truth)
    exact = ask("one_each", view, when="a prompt")
    lenient = ask("one_each", view, when="a prompt", besides="a rejected tool")
    assert isinstance(exact, Judged)
    assert isinstance(lenient, Judged)
    assert exact.findings[0].expected == "2: one for a prompt"
    assert lenient.findings[0].expected == "2 to 3: one for a prompt"


@pytest.mark.parametrize(
    ("answered", "failed", "answered_seen"),
    [(3, 1, []), (2, 1, []), (1, 2, ["1"]), (4, 2, ["4"])],
)
def test_a_call_that_was_given_up_was_answered_or_failed(
    ask: Ask,
    viewer: Viewer,
    findings: Findings,
    answered: int,
    failed: int,
    answered_seen: list[str],
) -> None:
    truth = calls(call(), call(auxiliary=True), call(auxiliary=True, given_up=True))
    answers = ask(
        "one_each",
        viewer(events=[request()] * answered, truth=truth),
        name="api_request",
        when="an answered API request",
        besides="an answered probe, or one that was not waited for",
    )
    assert findings(answers) == answered_seen
    failures = ask(
        "one_each",
        viewer(events=[{"body": "claude_code.api_error"}] * failed, truth=truth),
        name="api_error",
        when="a failed API request",
        besides="an answer that was not waited for",
    )
    assert (findings(failures) == []) is (failed <= 1)


# --- tokens_billed


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([tokens(7), tokens(3, "output")], []),
        ([tokens(4), tokens(3), tokens(3, "output")], []),
        ([tokens(3), tokens(7, "output")], ["3", "7"]),
        ([tokens(7)], ["0"]),
        ([tokens(7, model="opus[1m]"), tokens(3, "output")], []),
        ([tokens(7, model="haiku"), tokens(3, "output")], ["0", "7"]),
        ([tokens(7), tokens(3, "output"), tokens(0, model="haiku")], []),
        ([tokens(7), tokens(3, "output"), tokens(1, "cacheRead")], ["1"]),
        ([tokens(7), tokens(3, "output"), tokens(2, "thinking")], ["2"]),
    ],
    ids=[
        "as billed",
        "in parts",
        "the kinds are swapped",
        "a kind is missing",
        "the window is no part of the name",
        "of another model",
        "nothing of another model",
        "of a kind that was billed at 0",
        "of an unknown kind",
    ],
)
def test_tokens_billed(
    billed: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    view = viewer(points=points, truth=calls(call(input_tokens=7, output_tokens=3)))
    assert findings(billed(view, calls="all")) == seen


def test_the_window_may_stand_in_what_was_asked_for(
    billed: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = calls(call("opus[1m]", input_tokens=7), call("opus", input_tokens=1))
    assert findings(billed(viewer(points=[tokens(8)], truth=truth), calls="all")) == []


def test_models_are_not_mixed(billed: Ask, viewer: Viewer) -> None:
    truth = calls(call(input_tokens=7), call("haiku", input_tokens=5, auxiliary=True))
    view = viewer(points=[tokens(5), tokens(7, model="haiku")], truth=truth)
    outcome = billed(view, calls="all")
    assert isinstance(outcome, Judged)
    assert [(each.expected, each.where) for each in outcome.findings] == [
        ("5", f"working_day over http/json · metric {TOKENS} · model haiku · type input"),
        ("7", f"working_day over http/json · metric {TOKENS} · model opus · type input"),
    ]


@pytest.mark.parametrize(
    ("of", "counted", "seen"),
    [
        ("all", 12, []),
        ("all", 7, ["7"]),
        ("main", 12, []),
        ("main", 7, []),
        ("main", 6, ["6"]),
        ("main", 13, ["13"]),
    ],
)
def test_side_calls(
    billed: Ask, viewer: Viewer, findings: Findings, of: str, counted: float, seen: list[str]
) -> None:
    truth = calls(call(input_tokens=7), call(input_tokens=5, auxiliary=True))
    assert findings(billed(viewer(points=[tokens(counted)], truth=truth), calls=of)) == seen


def test_a_side_model_need_not_be_counted(billed: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = calls(call(input_tokens=7), call("haiku", input_tokens=5, auxiliary=True))
    seldom = viewer(points=[tokens(7)], truth=truth)
    assert findings(billed(seldom, calls="main")) == []
    assert findings(billed(seldom, calls="all")) == ["0"]
    often = viewer(points=[tokens(7), tokens(5, model="haiku")], truth=truth)
    assert findings(billed(often, calls="main")) == []


@pytest.mark.parametrize(
    "more",
    [
        call(input_tokens=5, probe=True),
        call(input_tokens=5, auxiliary=True, given_up=True),
        call(status=0, input_tokens=5),
    ],
    ids=["a probe", "a call that was given up", "an answer that broke off"],
)
@pytest.mark.parametrize(
    ("counted", "seen"), [(7, []), (12, []), (9, []), (6, ["6"]), (13, ["13"])]
)
def test_what_may_be_counted_or_not(
    billed: Ask, viewer: Viewer, findings: Findings, more: ApiCall, counted: float, seen: list[str]
) -> None:
    view = viewer(points=[tokens(counted)], truth=calls(call(input_tokens=7), more))
    outcome = billed(view, calls="all")
    assert findings(outcome) == seen
    assert isinstance(outcome, Judged)
    assert all(each.expected == "7 to 12" for each in outcome.findings)


def test_an_error_bills_nothing(billed: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = calls(call(input_tokens=7), call("haiku", status=500, input_tokens=5))
    view = viewer(points=[tokens(7), tokens(5, model="haiku")], truth=truth)
    outcome = billed(view, calls="all")
    assert findings(outcome) == ["5"]
    assert isinstance(outcome, Judged)
    assert outcome.findings[0].expected == "nothing: the API billed none"


def test_nothing_counted_is_a_finding_only_where_it_is_required(
    billed: Ask, viewer: Viewer, findings: Findings
) -> None:
    view = viewer(truth=calls(call(input_tokens=7)))
    assert isinstance(billed(view, calls="all"), NotExercised)
    assert findings(billed(view, calls="all", required=True)) == ["0"]
    idle = viewer(points=[tokens(7)])
    assert isinstance(billed(idle, calls="all", required=True), NotExercised)


# --- event_tokens


@pytest.fixture
def event_tokens(ask: Ask) -> Ask:
    def asked(view: CaptureView) -> Outcome:
        return ask("event_tokens", view, name="api_request", path=("attributes", "input_tokens"))

    return asked


@pytest.mark.parametrize(
    ("events", "seen"),
    [
        ([request(model="opus", input_tokens=7), request(model="opus", input_tokens=7)], []),
        ([request(model="opus[1m]", input_tokens="7"), request(model="opus", input_tokens=7)], []),
        ([request(model="opus", input_tokens=7)], ["1 times"]),
        ([request(model="haiku", input_tokens=7)] * 2, ["0 times"]),
        ([request(model="opus", input_tokens=8)] * 2, ["0 times"]),
        ([request(model="opus")] * 2, ["0 times"]),
        ([request(model="opus", input_tokens=7)] * 3, []),
        ([request(model="opus", input_tokens="many")] * 2, ["0 times"]),
    ],
    ids=[
        "each",
        "as a string and with a window",
        "one too few",
        "another model",
        "another number",
        "no number",
        "side calls may be told as well",
        "no digits",
    ],
)
def test_event_tokens(
    event_tokens: Ask, viewer: Viewer, findings: Findings, events: list[Any], seen: list[str]
) -> None:
    truth = calls(call(input_tokens=7), call(input_tokens=7))
    assert findings(event_tokens(viewer(events=events, truth=truth))) == seen


def test_event_tokens_are_asked_of_main_answers_only(
    event_tokens: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = calls(
        call(input_tokens=7),
        call(input_tokens=1, auxiliary=True),
        call(status=500, input_tokens=2),
        call(status=0, input_tokens=3),
    )
    view = viewer(events=[request(model="opus", input_tokens=7)], truth=truth)
    assert findings(event_tokens(view)) == []
    assert isinstance(event_tokens(viewer(truth=truth)), NotExercised)
    assert isinstance(
        event_tokens(viewer(events=[request(model="opus", input_tokens=7)])), NotExercised
    )


# --- cost_agrees


def cost(dollars: float, model: str = "opus", **facts: Any) -> Any:
    return COST, dollars, {"model": model}, facts


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([cost(0.3)], []),
        ([cost(0.1), cost(0.2)], []),
        ([cost(0.3, "opus[1m]")], []),
        ([cost(0.1, temporality="cumulative"), cost(0.3, temporality="cumulative")], []),
        ([cost(0.2)], ["0.200000"]),
        ([cost(0.3, "haiku")], ["0.300000", "0.000000"]),
        ([cost(0.3), cost(0.1, "haiku")], ["0.100000"]),
        ([], ["0.000000"]),
    ],
    ids=["one", "two", "window", "totals", "less", "another model", "one more model", "none"],
)
def test_cost_agrees(
    ask: Ask, viewer: Viewer, findings: Findings, points: list[Any], seen: list[str]
) -> None:
    events = [request(model="opus", cost_usd="0.1"), request(model="opus", cost_usd=0.2)]
    view = viewer(events=events, points=points)
    asked = {"name": "api_request", "path": ("attributes", "cost_usd")}
    assert findings(ask("cost_agrees", view, **asked)) == seen


def test_a_cost_that_is_no_number_counts_as_none(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    events = [request(model="opus", cost_usd=0.25), request(model="opus", cost_usd="a lot")]
    asked = {"name": "api_request", "path": ("attributes", "cost_usd")}
    assert findings(ask("cost_agrees", viewer(events=events, points=[cost(0.25)]), **asked)) == []
    only_counted = viewer(points=[cost(0.25)])
    assert isinstance(ask("cost_agrees", only_counted, **asked), NotExercised)
