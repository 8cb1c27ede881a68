"""Whose child each span is, and whether what it says is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Decision, GroundTruth, ToolRun
from harness.themes.spans.measures import span_counts, spans

if TYPE_CHECKING:
    from tests.conftest import Viewer

TRACE, OTHER = "ab" * 16, "cd" * 16
TURN, CALL, TOOL, WAIT, RUN, AGENT = (f"{number:02d}" * 8 for number in range(11, 17))
SECOND = 1_000_000_000

TRUTH = GroundTruth(
    prompts=("Look around.",),
    api_calls=(
        ApiCall("claude-x", 200, False, True, "req_1", 5, 6, 7, 8, session_id="s-1"),
        ApiCall("claude-y", 200, True, True, "req_2", 1, 2, 3, 4, session_id="s-1"),
    ),
    tool_runs=(ToolRun("Bash", "toolu_1", {"command": "ls"}, True),),
    decisions=(Decision("Bash", "toolu_1", {"command": "ls"}, True, "config"),),
)


def span(kind: str, span_id: str, parent: str, seconds: tuple[int, int], **says: Any) -> Any:
    attributes = {key.replace("__", "."): value for key, value in says.items()}
    key = "interaction.duration_ms" if kind == "interaction" else "duration_ms"
    return {
        "name": f"claude_code.{kind}",
        "trace_id": TRACE,
        "span_id": span_id,
        "parent_span_id": parent,
        "start_time_unix_nano": seconds[0] * SECOND,
        "end_time_unix_nano": seconds[1] * SECOND,
        "attributes": {
            "span.type": kind,
            "session.id": "s-1",
            key: (seconds[1] - seconds[0]) * 1000,
            **attributes,
        },
    }


def request(span_id: str, parent: str, seconds: tuple[int, int], number: int, model: str) -> Any:
    tokens = (5, 6, 7, 8) if number == 1 else (1, 2, 3, 4)
    made = span(
        "llm_request",
        span_id,
        parent,
        seconds,
        model=f"{model}[1m]",
        gen_ai__system="anthropic",
        gen_ai__request__model=f"{model}[1m]",
        request_id=f"req_{number}",
        gen_ai__response__id=f"req_{number}",
        stop_reason="tool_use",
        gen_ai__response__finish_reasons=("tool_use",),
        llm_request__context="interaction" if number == 1 else "tool",
        attempt=1,
        ttft_ms=10,
        success=True,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cache_read_tokens=tokens[2],
        cache_creation_tokens=tokens[3],
        **({} if number == 1 else {"agent_id": "a1"}),
    )
    return {**made, "events": [("gen_ai.request.attempt", {"attempt": 1})]}


def session() -> dict[str, Any]:
    ids: dict[str, Any] = {"tool_use_id": "toolu_1", "gen_ai__tool__call__id": "toolu_1"}
    prompt: dict[str, Any] = {"user_prompt": "Look around.", "user_prompt_length": 12}
    return {
        "turn": span("interaction", TURN, "", (0, 20), interaction__sequence=1, **prompt),
        "call": request(CALL, TURN, (1, 3), 1, "claude-x"),
        "tool": span("tool", TOOL, TURN, (3, 9), tool_name="Bash", full_command="ls", **ids),
        "wait": span(
            "tool.blocked_on_user", WAIT, TOOL, (3, 4), decision="accept", source="config"
        ),
        "run": span("tool.execution", RUN, TOOL, (4, 9), success=True, **ids),
        "agent": request(AGENT, TOOL, (5, 6), 2, "claude-y"),
    }


def measured(viewer: Viewer, each: dict[str, Any]) -> dict[str, Any]:
    capture = viewer(spans=list(each.values()), truth=TRUTH).capture
    return dict(zip(each, (item.view for item in spans(capture)), strict=True))


def changed(key: str, **attributes: Any) -> dict[str, Any]:
    each = session()
    says = {name.replace("__", "."): value for name, value in attributes.items()}
    each[key] = {**each[key], "attributes": {**each[key]["attributes"], **says}}
    return each


def test_a_session_agrees_with_itself_and_with_what_was_seen(viewer: Viewer) -> None:
    found = measured(viewer, session())
    for key, view in found.items():
        assert view["agrees"], key
        assert all(view["agrees"].values()), (key, view["agrees"])
        assert view.get("in_the_trace", True), key
        assert view.get("within_the_parent", True), key
    assert [view["parent"] for view in found.values()] == [
        "nobody",
        "interaction",
        "interaction",
        "tool",
        "tool",
        "tool",
    ]
    assert found["agent"]["below"] == ["tool", "interaction"]
    assert [found[key]["of_an_agent"] for key in ("call", "agent")] == [False, True]


@pytest.mark.parametrize(
    ("key", "attributes", "wrong"),
    [
        ("tool", {"span__type": "hook"}, {"span_type"}),
        ("run", {"session__id": "s-2"}, {"session_id"}),
        ("wait", {"duration_ms": 5000}, {"duration"}),
        ("turn", {"user_prompt": "<REDACTED>"}, {"prompt"}),
        ("turn", {"interaction__sequence": 2}, {"sequence", "length", "prompt"}),
        ("turn", {"interaction__sequence": "one"}, {"sequence", "length", "prompt"}),
        ("call", {"model": "claude-z[1m]"}, {"model", "gen_ai.request.model"}),
        ("call", {"input_tokens": "5"}, {"tokens"}),
        ("call", {"agent_id": "a1"}, {"agent_id"}),
        ("call", {"ttft_ms": 2001}, {"ttft"}),
        ("call", {"attempt": 2}, {"attempts"}),
        ("agent", {"llm_request__context": "interaction"}, {"context"}),
        ("tool", {"tool_name": "Read"}, {"tool_name"}),
        ("tool", {"full_command": "rm"}, {"input"}),
        ("tool", {"gen_ai__tool__call__id": "toolu_2"}, {"call_id"}),
        ("run", {"success": "true"}, {"success"}),
        ("wait", {"decision": "unknown", "source": "unknown"}, {"decision", "source"}),
    ],
)
def test_what_does_not_agree(
    viewer: Viewer, key: str, attributes: dict[str, Any], wrong: set[str]
) -> None:
    agrees = measured(viewer, changed(key, **attributes))[key]["agrees"]
    assert {fact for fact, holds in agrees.items() if not holds} == wrong


def test_a_span_that_is_elsewhere(viewer: Viewer) -> None:
    each = session()
    each["wait"] = {**each["wait"], "trace_id": OTHER, "end_time_unix_nano": 90 * SECOND}
    each["run"] = {**each["run"], "parent_span_id": "99" * 8}
    found = measured(viewer, each)
    assert found["wait"]["in_the_trace"] is False
    assert found["wait"]["within_the_parent"] is False
    assert found["run"]["parent"] == "an unknown span"
    assert found["run"]["below"] == []
    assert "in_the_trace" not in found["run"]


def test_spans_below_each_other_end(viewer: Viewer) -> None:
    each = session()
    each["turn"] = {**each["turn"], "parent_span_id": TOOL}
    assert measured(viewer, each)["tool"]["below"] == ["interaction", "tool"]


def test_spans_are_counted(viewer: Viewer) -> None:
    each = session()
    del each["wait"]
    capture = viewer(spans=list(each.values()), truth=TRUTH).capture
    counted = {item.view["name"]: item.view["as_it_happened"] for item in span_counts(capture)}
    assert counted == {
        "interaction": True,
        "llm_request": True,
        "tool": True,
        "tool.blocked_on_user": False,
        "tool.execution": True,
    }


def test_without_spans_nothing_is_counted(viewer: Viewer) -> None:
    assert span_counts(viewer(spans=[], truth=TRUTH).capture) == []


def test_who_asked_for_traces_and_sent_none_lost_them_all(viewer: Viewer) -> None:
    asked = {"OTEL_TRACES_EXPORTER": "otlp"}
    lost = span_counts(viewer(spans=[], truth=TRUTH, environment=asked).capture)
    assert len(lost) == 5
    assert not any(item.view["as_it_happened"] for item in lost)
    # Who asked the model nothing had nothing to tell.
    idle = GroundTruth(prompts=TRUTH.prompts)
    assert span_counts(viewer(spans=[], truth=idle, environment=asked).capture) == []


def test_the_parent_that_never_came(viewer: Viewer) -> None:
    each = session()
    del each["turn"]
    assert [view["parent"] for view in measured(viewer, each).values()].count(
        "an unknown span"
    ) == 2


def test_below_the_caller(viewer: Viewer) -> None:
    each = session()
    each["turn"] = {**each["turn"], "parent_span_id": "99" * 8}
    context = {"TRACEPARENT": f"00-{TRACE}-{'99' * 8}-01"}
    capture = viewer(spans=list(each.values()), truth=TRUTH, environment=context).capture
    assert spans(capture)[0].view["parent"] == "the caller"
