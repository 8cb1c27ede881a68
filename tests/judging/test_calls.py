"""Events beside the API requests, prompts and tools that they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Decision, Failure, GroundTruth, ToolRun
from harness.contract.prices import price_of
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Missed, Require, Viewer

SECOND = 1_000_000_000
SESSION = {"session.id": "s-1", "user.id": "u-1"}
FIRST = ApiCall(
    "claude-opus-4-8",
    200,
    auxiliary=False,
    streamed=True,
    request_id="r1",
    input_tokens=1000,
    output_tokens=100,
    arrived_unix_nano=2 * SECOND,
    answered_unix_nano=3 * SECOND,
    session_id="s-1",
    user_id="u-1",
    effort="high",
)
SECOND_CALL = replace(
    FIRST,
    request_id="r2",
    input_tokens=2000,
    output_tokens=50,
    arrived_unix_nano=5 * SECOND,
    answered_unix_nano=6 * SECOND,
)
TRUTH = GroundTruth(api_calls=(FIRST, SECOND_CALL))


def told(call: ApiCall, **attributes: Any) -> dict[str, Any]:
    """What an event tells of an answered request."""
    usage = {
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "cache_read_tokens": 0,
        "cache_creation_tokens": 0,
    }
    own = {"model": call.model, "request_id": call.request_id, **usage, **attributes}
    return {"body": "claude_code.api_request", "attributes": {**SESSION, **own}}


@pytest.fixture
def seen(judge: Judge, viewer: Viewer, requirement: Require, findings: Findings) -> Any:
    def judged(check: str, key: str, *events: Mapping[str, Any], **params: Any) -> list[str]:
        truth = params.pop("truth", TRUTH)
        selects = params.pop("event", "api_request")
        asked = requirement(check, kind="event", name=selects, path=("attributes", key), **params)
        view = viewer(
            events=list(events), truth=truth, started_unix_nano=0, ended_unix_nano=9 * SECOND
        )
        return findings(judge.judge(asked, [view]).outcome)

    return judged


def test_every_item_is_of_the_session_that_the_requests_name(seen: Any) -> None:
    other = told(SECOND_CALL, **{"session.id": "s-2"})
    assert seen("told_to_the_api", "session.id", told(FIRST), fact="session_id") == []
    assert seen("told_to_the_api", "session.id", told(FIRST), other, fact="session_id") == [
        '"s-2" (string)'
    ]
    assert seen("told_to_the_api", "user.id", told(FIRST), fact="user_id") == []


@pytest.mark.parametrize("made_up", ["r1", "r9"])
def test_a_request_id_is_of_one_answer_and_in_one_event(seen: Any, made_up: str) -> None:
    right, wrong = told(FIRST), told(SECOND_CALL, request_id=made_up)
    assert seen("joins_a_call", "request_id", right, told(SECOND_CALL)) == []
    assert len(seen("joins_a_call", "request_id", right, wrong)) == (2 if made_up == "r1" else 1)


def test_tokens_of_two_answers_are_not_mixed(seen: Any) -> None:
    swapped = told(FIRST, output_tokens=50), told(SECOND_CALL, output_tokens=100)
    assert seen("usage_together", "output_tokens", told(FIRST), told(SECOND_CALL)) == []
    assert len(seen("usage_together", "output_tokens", *swapped)) == 2
    assert len(seen("of_its_call", "output_tokens", *swapped)) == 2


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("effort", "high", "low"),
        ("speed", "normal", "fast"),
        ("model", "claude-opus-4-8[1m]", "claude-opus-4"),
        ("input_tokens", "1000", 1001),
    ],
)
def test_a_field_agrees_with_the_request(seen: Any, key: str, right: object, wrong: object) -> None:
    assert seen("of_its_call", key, told(FIRST, **{key: right})) == []
    assert len(seen("of_its_call", key, told(FIRST, **{key: wrong}))) == 1


def test_an_effort_that_was_asked_for_is_told(seen: Any) -> None:
    assert len(seen("of_its_call", "effort", told(FIRST))) == 1
    silent = GroundTruth(api_calls=(replace(FIRST, effort=""),))
    assert seen("of_its_call", "effort", told(FIRST), truth=silent) == []


def test_without_ids_an_event_is_joined_by_its_usage(seen: Any) -> None:
    event = told(FIRST, effort="low")
    del event["attributes"]["request_id"]
    assert len(seen("of_its_call", "effort", event)) == 1


@pytest.mark.parametrize(
    ("took_ms", "wrong"), [(996, 0), (1000, 0), (4999, 0), (900, 1), (1, 1), (5100, 1)]
)
def test_a_request_took_no_less_than_the_answer_and_no_longer_than_to_the_next(
    seen: Any, took_ms: int, wrong: int
) -> None:
    # From the start of the run to the second request are five seconds.
    assert len(seen("took_as_long", "duration_ms", told(FIRST, duration_ms=took_ms))) == wrong


AT_PRICES = {"factor": 2, "tolerance": 0.01}


def priced(call: ApiCall, factor: float) -> dict[str, Any]:
    cost = price_of(call.model).cost(call.input_tokens, call.output_tokens, 0, 0)
    return told(call, cost_usd=cost * factor)


def test_costs_are_published_prices_times_one_factor(seen: Any) -> None:
    def wrong(first: float, second: float) -> int:
        events = priced(FIRST, first), priced(SECOND_CALL, second)
        return len(seen("cost_at_prices", "cost_usd", *events, **AT_PRICES))

    assert wrong(1, 1) == 0
    assert wrong(1.6, 1.6) == 0
    assert wrong(3, 3) == 2
    assert wrong(0, 0) == 2
    assert wrong(1, 1.3) > 0


def test_models_without_a_published_price_are_held_together(seen: Any) -> None:
    calls = tuple(replace(call, model="claude-next-9") for call in (FIRST, SECOND_CALL))
    truth = GroundTruth(api_calls=calls)
    assert price_of("claude-next-9").estimated

    def wrong(*factors: float) -> int:
        events = [priced(call, factor) for call, factor in zip(calls, factors, strict=True)]
        return len(seen("cost_at_prices", "cost_usd", *events, truth=truth, **AT_PRICES))

    assert wrong(7, 7) == 0
    assert wrong(7, 9) > 0


def test_the_longest_beginning_of_a_model_id_has_the_price() -> None:
    assert price_of("claude-opus-5-5").input == 4
    assert price_of("claude-opus-5").input == 5
    assert price_of("claude-haiku-4-5-20251001").output == 5


def event(name: str, moment: int, **attributes: Any) -> dict[str, Any]:
    return {
        "body": f"claude_code.{name}",
        "time_unix_nano": moment * SECOND,
        "attributes": attributes,
    }


def prompt(moment: int, prompt_id: str) -> dict[str, Any]:
    return event("user_prompt", moment, **{"prompt.id": prompt_id})


def test_a_prompt_has_an_id_of_its_own(seen: Any, missed: Missed) -> None:
    asked = {"event": "user_prompt"}
    assert seen("one_for_each", "prompt.id", prompt(1, "a"), prompt(2, "b"), **asked) == []
    assert len(seen("one_for_each", "prompt.id", prompt(1, "a"), prompt(2, "a"), **asked)) == 2


@pytest.mark.parametrize(
    ("name", "prompt_id", "wrong"),
    [
        ("tool_result", "b", 0),
        ("tool_result", "a", 1),
        ("tool_result", "c", 1),
        ("api_request", "a", 0),
        ("api_request", "c", 1),
    ],
)
def test_events_carry_the_id_of_their_prompt(
    judge: Judge,
    viewer: Viewer,
    requirement: Require,
    findings: Findings,
    name: str,
    prompt_id: str,
    wrong: int,
) -> None:
    asked = requirement(
        "of_a_prompt",
        kind="events",
        path=("attributes", "prompt.id"),
        latest=["tool_result"],
    )
    events = [prompt(1, "a"), prompt(2, "b"), event(name, 3, **{"prompt.id": prompt_id})]
    assert len(findings(judge.judge(asked, [viewer(events=events)]).outcome)) == wrong


DECIDED = (
    Decision("Read", "t1", {}, accepted=True, source="config"),
    Decision("mcp__a__b", "t2", {}, accepted=False, source="user_reject"),
)
TOOLS = GroundTruth(
    decisions=DECIDED,
    tool_runs=(
        ToolRun("Read", "t1", {}, True, asked_unix_nano=SECOND, returned_unix_nano=2 * SECOND),
    ),
)


def decision(tool_use_id: str, **attributes: Any) -> dict[str, Any]:
    return event("tool_decision", 1, tool_use_id=tool_use_id, **attributes)


@pytest.mark.parametrize(
    ("fact", "key", "right", "wrong"),
    [
        ("name", "tool_name", "mcp_tool", "Nonsense"),
        ("origin", "tool_source", "mcp", "builtin"),
        ("decision", "decision", "reject", "accept"),
        ("source", "source", "user_reject", "config"),
    ],
)
def test_a_decision_tells_of_its_tool(
    seen: Any, fact: str, key: str, right: str, wrong: str
) -> None:
    asked = {"event": "tool_decision", "fact": fact, "truth": TOOLS}
    assert seen("of_its_tool", key, decision("t2", **{key: right}), **asked) == []
    assert seen("of_its_tool", key, decision("t2", **{key: wrong}), **asked) == [
        f'"{wrong}" (string)'
    ]


@pytest.mark.parametrize(
    ("first", "second", "wrong"), [("t1", "t2", 0), ("t1", "t1", 2), ("t1", "t9", 1)]
)
def test_a_tool_use_id_joins_one_tool(seen: Any, first: str, second: str, wrong: int) -> None:
    events = decision(first), decision(second)
    found = seen("joins_a_tool", "tool_use_id", *events, event="tool_decision", truth=TOOLS)
    assert len(found) == wrong


@pytest.mark.parametrize(("took_ms", "wrong"), [(1000, 0), (1004, 0), (1100, 1)])
def test_a_tool_took_no_longer_than_it_was_away(seen: Any, took_ms: int, wrong: int) -> None:
    result = event("tool_result", 1, tool_use_id="t1", tool_name="Read", duration_ms=took_ms)
    found = seen("tool_took_as_long", "duration_ms", result, event="tool_result", truth=TOOLS)
    assert len(found) == wrong


@pytest.mark.parametrize(
    ("fact", "key", "value", "wrong"),
    [
        ("model", "model", "claude-opus-4-8", 0),
        ("model", "model", "gpt", 1),
        ("request id", "request_id", "r2", 0),
        ("request id", "request_id", "r1", 1),
        ("duration", "duration_ms", 996, 0),
        ("duration", "duration_ms", 1, 1),
    ],
)
def test_a_failure_is_told_by_its_last_request(
    seen: Any, fact: str, key: str, value: object, wrong: int
) -> None:
    calls = tuple(replace(call, status=500) for call in (FIRST, SECOND_CALL))
    truth = GroundTruth(api_calls=calls, failures=(Failure(500, "m", 2, ("r1", "r2")),))
    failed = event("api_error", 7, **{key: value})
    found = seen("failures_told", key, failed, event="api_error", fact=fact, truth=truth)
    assert len(found) == wrong
