"""Lies about the spans of a session: one span is where it was not, or says what was not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.proto.trace.v1 import trace_pb2

from ...capture.capture import Capture
from ...capture.names import short
from ...contract.requirement import Requirement
from ...mutants.rewriting import copy_message, instead, rewritten
from ...otlp.messages import ExportTraceServiceRequest
from ...otlp.writing import put_attributes

Lie = Callable[[Capture, Requirement], Capture]
Edit = Callable[[trace_pb2.Span], object]
Wanted = Callable[[Mapping[str, Any]], bool]

_ANOTHER_TRACE = bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
_ANOTHER_SPAN = bytes.fromhex("b7ad6b7169203331")
_HOUR_NS = 3_600_000_000_000
_FAILED = trace_pb2.Status.STATUS_CODE_ERROR
_UNSET = trace_pb2.Status.STATUS_CODE_UNSET


def _any(attributes: Mapping[str, Any]) -> bool:
    return True


def _of_an_agent(attributes: Mapping[str, Any]) -> bool:
    return "agent_id" in attributes


def _of_the_main_loop(attributes: Mapping[str, Any]) -> bool:
    return "agent_id" not in attributes


def _failed(attributes: Mapping[str, Any]) -> bool:
    return attributes.get("success") is False


def _one(name: str, edit: Edit, wanted: Wanted = _any) -> Lie:
    """Return the lie that edits the first span of this name whose attributes are as wanted."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        chosen = next(
            (
                span.span_id
                for span in capture.spans(f"claude_code.{name}")
                if wanted(span.attributes)
            ),
            None,
        )
        for export in capture.exports:
            message = copy_message(export)
            if isinstance(message, ExportTraceServiceRequest):
                for span in _spans_of(message):
                    if span.span_id.hex() == chosen:
                        edit(span)
                        return instead(capture, export, rewritten(export, message))
        raise ValueError(f"{capture.run.label} exported no such {name}")

    return lie


def _spans_of(message: ExportTraceServiceRequest) -> Iterator[trace_pb2.Span]:
    for group in message.resource_spans:
        for scope in group.scope_spans:
            yield from scope.spans


def _below(name: str, other: str, wanted: Wanted = _any) -> Lie:
    """Return the lie that moves a span below the first one of another name; below none for ``""``.

    ``wanted`` chooses the span by its attributes.
    """

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        parent = capture.spans(f"claude_code.{other}")[0].span_id if other else ""

        def move(span: trace_pb2.Span) -> None:
            span.parent_span_id = bytes.fromhex(parent)

        return _one(name, move, wanted)(capture, requirement)

    return lie


def _twice(name: str) -> Lie:
    """Return the lie that a span of this name was there twice."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        for export in capture.exports:
            message = copy_message(export)
            if not isinstance(message, ExportTraceServiceRequest):
                continue
            for group in message.resource_spans:
                for scope in group.scope_spans:
                    for span in scope.spans:
                        if short(span.name) == name:
                            scope.spans.add().CopyFrom(span)
                            scope.spans[-1].span_id = _ANOTHER_SPAN
                            return instead(capture, export, rewritten(export, message))
        raise ValueError(f"{capture.run.label} exported no {name}")

    return lie


def _lost(lost: Callable[[str], bool]) -> Lie:
    """Return the lie that spans whose names are ``lost`` are never sent."""

    def lie(capture: Capture, requirement: Requirement) -> Capture:
        found, exports = 0, []
        for export in capture.exports:
            message = copy_message(export)
            if not isinstance(message, ExportTraceServiceRequest):
                exports.append(export)
                continue
            kept = 0
            for group in message.resource_spans:
                for scope in group.scope_spans:
                    for number in reversed(range(len(scope.spans))):
                        if lost(short(scope.spans[number].name)):
                            del scope.spans[number]
                            found += 1
                    kept += len(scope.spans)
            if kept:
                exports.append(rewritten(export, message))
        if not found:
            raise ValueError(f"{capture.run.label} exported no such span")
        return replace(capture, exports=tuple(exports))

    return lie


def _says(**attributes: Any) -> Edit:
    """Return the edit that puts attributes in place of others; ``__`` stands for a dot."""

    def edit(span: trace_pb2.Span) -> None:
        new = {key.replace("__", "."): value for key, value in attributes.items()}
        kept = [pair for pair in span.attributes if pair.key not in new]
        del span.attributes[:]
        span.attributes.extend(kept)
        put_attributes(span.attributes, new)

    return edit


def _leaves_out(key: str) -> Edit:
    def edit(span: trace_pb2.Span) -> None:
        kept = [pair for pair in span.attributes if pair.key != key]
        del span.attributes[:]
        span.attributes.extend(kept)

    return edit


def _status(code: trace_pb2.Status.StatusCode.ValueType) -> Edit:
    def edit(span: trace_pb2.Span) -> None:
        span.status.code = code

    return edit


def _another_trace(span: trace_pb2.Span) -> None:
    span.trace_id = _ANOTHER_TRACE


def _below_a_stranger(span: trace_pb2.Span) -> None:
    span.parent_span_id = _ANOTHER_SPAN


def _an_hour_later(span: trace_pb2.Span) -> None:
    span.start_time_unix_nano += _HOUR_NS
    span.end_time_unix_nano += _HOUR_NS


def _no_attempts(span: trace_pb2.Span) -> None:
    del span.events[:]


_REQUEST, _TOOL, _RUN, _QUESTION = "llm_request", "tool", "tool.execution", "tool.blocked_on_user"

LIES: Mapping[str, Lie] = {
    "interaction_below_a_stranger": _one("interaction", _below_a_stranger),
    "request_below_nothing": _below(_REQUEST, "", _of_the_main_loop),
    "agents_request_below_the_interaction": _below(_REQUEST, "interaction", _of_an_agent),
    "tool_below_nothing": _below(_TOOL, ""),
    "question_below_the_interaction": _below(_QUESTION, "interaction"),
    "execution_below_the_interaction": _below(_RUN, "interaction"),
    "span_in_another_trace": _one(_RUN, _another_trace),
    "span_after_its_parent": _one(_QUESTION, _an_hour_later),
    "execution_below_a_stranger": _one(_RUN, _below_a_stranger),
    "interaction_lost": _lost(lambda name: name == "interaction"),
    "nothing_but_requests": _lost(lambda name: name != _REQUEST),
    "no_spans": _lost(lambda name: True),
    "interaction_twice": _twice("interaction"),
    "request_span_twice": _twice(_REQUEST),
    "tool_span_twice": _twice(_TOOL),
    "question_twice": _twice(_QUESTION),
    "execution_twice": _twice(_RUN),
    "span_of_another_type": _one(_TOOL, _says(span__type="llm_request")),
    "span_of_another_session": _one(_RUN, _says(session__id="another-session")),
    "span_an_hour_long": _one(_TOOL, _says(duration_ms=3_600_000)),
    "failure_unset": _one(_RUN, _status(_UNSET), _failed),
    "tool_span_failed": _one(_TOOL, _status(_FAILED)),
    "interactions_counted_from_zero": _one("interaction", _says(interaction__sequence=0)),
    "another_prompt_length": _one("interaction", _says(user_prompt_length=1)),
    "prompt_on_the_span": _one("interaction", _says(user_prompt="What was asked.")),
    "request_of_no_call": _one(_REQUEST, _says(request_id="req_none"), _of_the_main_loop),
    "request_to_another_model": _one(
        _REQUEST, _says(model="claude-none", gen_ai__request__model="claude-none")
    ),
    "one_token_more": _one(_REQUEST, _says(output_tokens=1)),
    "another_system": _one(_REQUEST, _says(gen_ai__system="openai")),
    "another_genai_model": _one(_REQUEST, _says(gen_ai__request__model="claude-none")),
    "another_response_id": _one(_REQUEST, _says(gen_ai__response__id="req_none")),
    "another_finish_reason": _one(
        _REQUEST, _says(gen_ai__response__finish_reasons=("max_tokens",))
    ),
    "standalone_request": _one(_REQUEST, _says(llm_request__context="standalone")),
    "attempt_not_recorded": _one(_REQUEST, _no_attempts),
    "first_token_too_late": _one(_REQUEST, _says(ttft_ms=3_600_000)),
    "agent_without_an_id": _one(_REQUEST, _leaves_out("agent_id"), _of_an_agent),
    "stopped_for_nothing": _one(
        _REQUEST, _says(stop_reason="bored", gen_ai__response__finish_reasons=("bored",))
    ),
    "request_at_no_speed": _one(_REQUEST, _says(speed="slow")),
    "request_neither_way": _one(_REQUEST, _leaves_out("success")),
    "request_did_not_say_it_has_a_tool": _one(_REQUEST, _leaves_out("response.has_tool_call")),
    "request_of_no_subsystem": _one(_REQUEST, _leaves_out("query_source")),
    "tool_of_no_size": _one(
        _TOOL, _leaves_out("result_tokens"), lambda says: "result_tokens" in says
    ),
    "tool_that_nobody_asked_for": _one(
        _TOOL, _says(tool_use_id="toolu_none", gen_ai__tool__call__id="toolu_none")
    ),
    "another_call_id": _one(_TOOL, _says(gen_ai__tool__call__id="toolu_none")),
    "another_call_id_of_a_run": _one(_RUN, _says(gen_ai__tool__call__id="toolu_none")),
    "another_tool": _one(_TOOL, _says(tool_name="Nonsense")),
    "command_on_the_span": _one(_TOOL, _says(full_command="true")),
    "another_command": _one(
        _TOOL, _says(full_command="true"), lambda says: says.get("tool_name") == "Bash"
    ),
    "tool_without_its_file": _one(_TOOL, _leaves_out("file_path"), lambda it: "file_path" in it),
    "tool_without_its_command": _one(
        _TOOL, _leaves_out("full_command"), lambda says: "full_command" in says
    ),
    "tool_without_its_skill": _one(
        _TOOL, _leaves_out("skill_name"), lambda says: "skill_name" in says
    ),
    "tool_without_its_agent": _one(
        _TOOL, _leaves_out("subagent_type"), lambda says: "subagent_type" in says
    ),
    "execution_of_another_tool": _one(
        _RUN, _says(tool_use_id="toolu_none", gen_ai__tool__call__id="toolu_none")
    ),
    "failure_told_as_success": _one(_RUN, _says(success=True), _failed),
    "message_for_a_category": _one(_RUN, _says(error="It did not work."), _failed),
    "question_answered_otherwise": _one(
        _QUESTION, _says(decision="reject"), lambda says: says.get("decision") == "accept"
    ),
    "question_answered_by_another": _one(_QUESTION, _says(source="user_permanent")),
}
