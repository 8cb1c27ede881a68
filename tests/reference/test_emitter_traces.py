"""The spans of the emitter: hierarchy, attributes, gates, and the trace of a caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from harness.capture.capture import Capture
from harness.fakes.script import Fail, Say, Step, UseTool
from harness.otlp.model import Protocol, Signal, Span
from harness.running.recorder import run_session
from harness.subject.binary import resolve

pytestmark = pytest.mark.slow

AUGUST = "2.1.240"
TRACED = {"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}
PROMPT = "a prompt like no other"
STANDARD = {"session.id", "terminal.type", "user.id"}
UNSET, ERROR = 0, 2
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DAY: Sequence[Step] = (
    UseTool("Write", {"file_path": "a.py", "content": "x = 1\n"}),
    UseTool("Bash", {"command": "exit 3"}),
    Say("done"),
)


def session(
    env: Mapping[str, str],
    script: Sequence[Step] = DAY,
    *,
    version: str = AUGUST,
    protocol: Protocol = Protocol.HTTP_JSON,
) -> Capture:
    capture = run_session(
        resolve(f"reference:{version}", progress=print),
        prompt=PROMPT,
        script=script,
        protocol=protocol,
        env=env,
        args=("--permission-mode", "bypassPermissions"),
    )
    assert capture.run.stderr == ""
    assert capture.rejected == ()
    return capture


def spans(capture: Capture) -> list[Span]:
    found = [span for export in capture.exports for span in export.spans]
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def name(span: Span) -> str:
    return span.name.removeprefix("claude_code.")


@pytest.mark.parametrize("protocol", list(Protocol))
def test_the_hierarchy(protocol: Protocol) -> None:
    capture = session(TRACED, protocol=protocol)

    found = spans(capture)
    assert {export.protocol for export in capture.exports} == {protocol}
    by_id = {span.span_id: span for span in found}
    parents = [
        (name(span), name(by_id[span.parent_span_id]) if span.parent_span_id else None)
        for span in found
    ]
    tool = [
        ("tool", "interaction"),
        ("tool.blocked_on_user", "tool"),
        ("tool.execution", "tool"),
    ]
    request = [("llm_request", "interaction")]
    assert parents == [("interaction", None), *request, *tool, *request, *tool, *request]
    assert len({span.trace_id for span in found}) == 1
    assert {(span.scope.name, span.scope.version) for span in found} == {
        ("com.anthropic.claude_code.tracing", AUGUST)
    }
    assert {span.resource.attributes["service.name"] for span in found} == {"claude-code"}
    # Events belong to the interaction.
    interaction = found[0]
    belonging = {(event.trace_id, event.span_id) for event in capture.events()}
    assert belonging == {(interaction.trace_id, interaction.span_id)}


def test_attributes() -> None:
    capture = session(TRACED)

    found = spans(capture)
    for span in found:
        assert set(span.attributes) >= STANDARD
        assert span.attributes["span.type"] == name(span)
    interaction, request, tool, blocked, execution, *_ = found
    assert {key: interaction.attributes[key] for key in ("user_prompt", "user_prompt_length")} == {
        "user_prompt": "<REDACTED>",
        "user_prompt_length": len(PROMPT),
    }
    assert interaction.attributes["interaction.sequence"] == 1
    call = capture.run.truth.api_calls[0]
    assert {key: request.attributes[key] for key in ("input_tokens", "request_id", "model")} == {
        "input_tokens": call.input_tokens,
        "request_id": call.request_id,
        "model": call.model,
    }
    assert request.attributes["gen_ai.response.finish_reasons"] == ("tool_use",)
    assert request.attributes["response.has_tool_call"] is True
    event = capture.events("api_request")[0]
    assert request.attributes["client_request_id"] == event.attributes["client_request_id"]
    assert (tool.attributes["tool_name"], blocked.attributes["source"]) == ("Write", "config")
    use_id = capture.events("tool_result")[0].attributes["tool_use_id"]
    assert tool.attributes["tool_use_id"] == execution.attributes["tool_use_id"] == use_id
    failed = [span for span in found if span.status_code == ERROR]
    assert [(name(span), span.attributes["error"]) for span in failed] == [
        ("tool.execution", "ShellError")
    ]
    assert failed[0].attributes["success"] is False
    assert {span.status_code for span in found if span not in failed} == {UNSET}
    assert not {"file_path", "full_command"} & {key for span in found for key in span.attributes}
    assert PROMPT not in str([span.attributes for span in found])


def test_gates() -> None:
    capture = session({**TRACED, "OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOG_TOOL_DETAILS": "1"})

    attributes: dict[str, object] = {}
    for span in spans(capture):
        attributes |= span.attributes
    assert attributes["user_prompt"] == PROMPT
    assert attributes["file_path"] == "a.py"
    assert attributes["full_command"] == "exit 3"
    assert attributes["error"] == "Exit code 3"


def test_a_failed_request() -> None:
    capture = session(TRACED, [Fail(529, "not now", times=1), Fail(400, "no")])

    (request,) = [span for span in spans(capture) if name(span) == "llm_request"]
    assert request.attributes["success"] is False
    assert request.attributes["status_code"] == 400
    assert request.attributes["error"] == "no"
    assert request.attributes["attempt"] == 2
    assert request.status_code == ERROR
    attempts = [(event.name, event.attributes["attempt"]) for event in request.events]
    assert attempts == [("gen_ai.request.attempt", 1), ("gen_ai.request.attempt", 2)]


def test_a_subagent_works_below_its_tool() -> None:
    capture = session(TRACED, [UseTool("Task", {"prompt": "help"}), Say("done")])

    found = spans(capture)
    (request,) = [span for span in found if "agent_id" in span.attributes]
    (tool,) = [span for span in found if name(span) == "tool"]
    assert request.parent_span_id == tool.span_id
    assert request.attributes["llm_request.context"] == "tool"


@pytest.mark.parametrize(
    ("env", "version", "expected"),
    [
        (TRACED, "2.1.239", False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, AUGUST, False),
        ({"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1"}, AUGUST, False),
        ({"ENABLE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}, AUGUST, True),
        (
            {**TRACED, "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
            AUGUST,
            True,
        ),
        ({**TRACED, "CLAUDE_CODE_ENABLE_TELEMETRY": "0"}, AUGUST, False),
    ],
)
def test_opt_in(env: dict[str, str], version: str, expected: bool) -> None:
    capture = session(env, version=version)

    assert any(export.signal is Signal.TRACES for export in capture.exports) is expected


def test_the_trace_of_a_caller() -> None:
    capture = session({**TRACED, "TRACEPARENT": CALLER})

    _, trace_id, parent_id, _ = CALLER.split("-")
    interaction, *_ = spans(capture)
    assert (interaction.trace_id, interaction.parent_span_id) == (trace_id, parent_id)
    assert {event.span_id for event in capture.events()} == {interaction.span_id}


@pytest.mark.parametrize(("version", "joined"), [(AUGUST, True), ("2.1.239", False)])
def test_events_join_the_trace_of_a_caller(version: str, joined: bool) -> None:
    capture = session({"TRACEPARENT": CALLER}, version=version)

    _, trace_id, parent_id, _ = CALLER.split("-")
    expected = (trace_id, parent_id) if joined else ("", "")
    assert {(event.trace_id, event.span_id) for event in capture.events()} == {expected}


def test_short_intervals_export_while_the_session_runs() -> None:
    script: list[Step] = [UseTool("Bash", {"command": "sleep 0.3"}), Say("done")]
    capture = session({**TRACED, "OTEL_TRACES_EXPORT_INTERVAL": "40"}, script)

    assert sum(export.signal is Signal.TRACES for export in capture.exports) > 1
