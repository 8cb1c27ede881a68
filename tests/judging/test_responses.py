"""Events that tell what the model answered, beside what the fake API said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, GroundTruth, KeptMessage
from harness.findings import NotExercised, Outcome
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

SAID = "Hé 😀"


def call(number: int, said: str = SAID, *, auxiliary: bool = False, status: int = 200) -> ApiCall:
    return ApiCall("m", status, auxiliary, streamed=True, request_id=f"r{number}", said=said)


def event(number: int, **attributes: Any) -> dict[str, Any]:
    own = {"request_id": f"r{number}", "model": "m", **attributes}
    return {
        "body": "claude_code.assistant_response",
        "attributes": own,
        "time_unix_nano": number * 1_000_000,
    }


@pytest.fixture
def ask(judge: Judge, viewer: Viewer, requirement: Require) -> Callable[..., Outcome]:
    def asked(check: str, *events: Any, truth: GroundTruth, **params: Any) -> Outcome:
        made = requirement(
            check, kind="event", name="assistant_response", path=("attributes", "n"), **params
        )
        outcome: Outcome = judge.judge(made, [viewer(events=list(events), truth=truth)]).outcome
        return outcome

    return asked


@pytest.mark.parametrize(
    ("check", "n", "right"),
    [
        ("response_length", 5, True),
        ("response_length", 4, True),
        ("response_length", 6, False),
        ("response_length", None, False),
        ("response_text", SAID, True),
        ("response_text", "He\u0301 😀", False),
        ("response_text", f"{SAID} ", False),
        ("response_text", None, False),
    ],
)
def test_an_answer_is_told_as_it_was(
    ask: Callable[..., Outcome], findings: Findings, check: str, n: object, right: bool
) -> None:
    given = {} if n is None else {"n": n}
    truth = GroundTruth(api_calls=(call(1, "another"), call(2)))
    assert (findings(ask(check, event(2, **given), truth=truth)) == []) is right


def test_an_answer_of_nobody_is_not_judged(ask: Callable[..., Outcome]) -> None:
    for calls in ((), (call(2),), (call(1, ""),)):
        truth = GroundTruth(api_calls=calls)
        assert isinstance(ask("response_text", event(1, n="x"), truth=truth), NotExercised)


def test_each_answer_with_text_is_told_once(
    ask: Callable[..., Outcome], findings: Findings
) -> None:
    calls = (call(1), call(2, ""), call(3, auxiliary=True), call(4, status=0))
    params = {"when": "an answer with text", "besides": "another answer with text"}

    def found(*events: dict[str, Any]) -> list[str]:
        return findings(ask("one_each", *events, truth=GroundTruth(api_calls=calls), **params))

    assert found(event(1)) == found(event(1), event(3)) == []
    assert found(event(1), event(1), event(3))
    assert found(event(1), event(2), event(3))
    missing = ask("exported", truth=GroundTruth(api_calls=calls), when=params["when"])
    assert len(findings(missing)) == 1


def test_a_transcript_of_a_subagent_has_an_order_of_its_own(
    ask: Callable[..., Outcome], findings: Findings
) -> None:
    kept = (
        KeptMessage("assistant", "a3", "agent.jsonl"),
        KeptMessage("assistant", "a1", "session.jsonl"),
        KeptMessage("assistant", "a4", "session.jsonl"),
    )

    calls = tuple(call(number, auxiliary=True) for number in (8, 9))
    title = event(8, n="of a title", query_source="generate_session_title")

    def found(*ids: str) -> list[str]:
        events = [event(number, n=id_) for number, id_ in enumerate(ids, 1)]
        truth = GroundTruth(api_calls=calls, kept_messages=kept)
        return findings(ask("kept_on_disk", title, *events, truth=truth, role="assistant"))

    assert found("a1", "a3", "a4") == found("a3", "a1", "a4") == []
    assert found("a4", "a3", "a1") == ["a4, a1"]
    assert found("a1", "a9") == ['"a9" (string)']
    of_a_subagent = event(9, n="a9", query_source="agent:custom")
    truth = GroundTruth(api_calls=calls, kept_messages=kept)
    assert len(findings(ask("kept_on_disk", of_a_subagent, truth=truth, role="assistant"))) == 1
