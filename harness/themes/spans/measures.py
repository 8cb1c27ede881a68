"""Compare the spans of a session with each other, and with what the fakes saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ...capture.capture import Capture
from ...capture.names import short
from ...capture.run import ApiCall, Decision, GroundTruth, ToolRun
from ...judging.checks.matching import reported_name
from ...judging.items.item import Item
from ...judging.items.view import plain, span_view
from ...otlp.model import Span

#: Clocks of one process that are read one after the other, and rounding to milliseconds.
_SLACK_NS = 20_000_000

#: The same, where the span and what it says of itself are clocked by different lines of a program
#: that a busy machine may have stopped between them.
_STOPPED_NS = 1_000_000_000

_NOBODY, _CALLER, _UNKNOWN = "nobody", "the caller", "an unknown span"
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")

#: Hands the trace and the span of a caller to the session.
_VARIABLE = "TRACEPARENT"

#: Whether something that a span says agrees with what is known; without what it does not say.
_Agreement = dict[str, bool]


def spans(capture: Capture) -> list[Item]:
    """Return one item for each span.

    ``name`` is its own without the prefix, ``parent`` that of its parent (or that nobody is, the
    caller, or a span that was never exported), ``below`` those of all spans above it, the nearest
    first. ``in_the_trace`` is whether its trace is its parent's,
    ``within_the_parent`` whether it began and ended while that went on; a root has neither.
    ``of_an_agent`` is whether a request was a subagent's. ``agrees`` tells of each fact that it
    states whether it is as other spans say and the fakes saw.
    """
    every = {span.span_id: span for span in capture.spans()}
    told = _Told(capture, every)
    return [
        Item(f"{capture.run.label} · {span.name}, span {span.span_id}", told.view(span))
        for span in every.values()
    ]


class _Told:
    """What is known of the spans of one capture."""

    def __init__(self, capture: Capture, every: Mapping[str, Span]) -> None:
        truth = capture.run.truth
        self._every = every
        self._callers = capture.run.environment.get(_VARIABLE, "")
        self._sessions = {call.session_id for call in truth.api_calls} - {""}
        self._calls = {call.request_id: call for call in truth.api_calls}
        self._decisions = {decision.tool_use_id: decision for decision in truth.decisions}
        self._runs = {run.tool_use_id: run for run in truth.tools_that_ran}
        self._prompts = truth.prompts
        self._agreements: Mapping[str, Callable[[Span], _Agreement]] = {
            "interaction": self._interaction,
            "llm_request": self._request,
            "tool": self._tool,
            "tool.execution": self._execution,
            "tool.blocked_on_user": self._blocked,
        }

    def view(self, span: Span) -> dict[str, Any]:
        name, parent = short(span.name), self._every.get(span.parent_span_id)
        call = self._calls.get(str(span.attributes.get("request_id")))
        view: dict[str, Any] = {
            "name": name,
            "parent": self._name_of(span.parent_span_id),
            "below": [short(each.name) for each in self._above(span)],
            "status": span_view(span)["status"]["code"],
            "failed": str(span.attributes.get("success")).lower() == "false",
            "attributes": plain(span.attributes),
            "agrees": self._every_span(span) | self._of_its_kind(span, name),
        }
        if call is not None:
            view["of_an_agent"] = call.auxiliary
        if parent is not None:
            view["in_the_trace"] = span.trace_id == parent.trace_id
            view["within_the_parent"] = (
                parent.start_time_unix_nano - _SLACK_NS
                <= span.start_time_unix_nano
                <= span.end_time_unix_nano
                <= parent.end_time_unix_nano + _SLACK_NS
            )
        return view

    def _of_its_kind(self, span: Span, name: str) -> _Agreement:
        agreement = self._agreements.get(name)
        return {} if agreement is None else agreement(span)

    def _name_of(self, span_id: str) -> str:
        if not span_id:
            return _NOBODY
        if f"-{span_id}-" in self._callers:
            return _CALLER
        return short(self._every[span_id].name) if span_id in self._every else _UNKNOWN

    def _above(self, span: Span) -> list[Span]:
        found: list[Span] = []
        while (parent := self._every.get(span.parent_span_id)) and parent not in found:
            found.append(parent)
            span = parent
        return found

    def _every_span(self, span: Span) -> _Agreement:
        says = span.attributes
        agrees = {
            "span_type": says.get("span.type") == short(span.name),
            "session_id": says.get("session.id") in self._sessions,
        }
        key = "interaction.duration_ms" if short(span.name) == "interaction" else "duration_ms"
        if (duration := _number(says.get(key))) is not None:
            lasted_ns = span.end_time_unix_nano - span.start_time_unix_nano
            agrees["duration"] = abs(duration * 1e6 - lasted_ns) <= _STOPPED_NS
        return agrees

    def _interaction(self, span: Span) -> _Agreement:
        says = span.attributes
        sequence = says.get("interaction.sequence")
        number = sequence if isinstance(sequence, int) else 0
        prompt = self._prompts[number - 1] if 0 < number <= len(self._prompts) else None
        return {
            "sequence": prompt is not None,
            "length": prompt is not None and says.get("user_prompt_length") == _units(prompt),
            "prompt": prompt is not None and says.get("user_prompt") == prompt,
        }

    def _request(self, span: Span) -> _Agreement:
        says = span.attributes
        call = self._calls.get(str(says.get("request_id")))
        parent = self._name_of(span.parent_span_id)
        ttft, duration = _number(says.get("ttft_ms")), _number(says.get("duration_ms"))
        attempts = [event for event in span.events if event.name == "gen_ai.request.attempt"]
        return {
            "request_id": call is not None and call.status == 200,
            "model": call is not None and _base(says.get("model")) == _base(call.model),
            "tokens": call is not None and _tokens_of(span) == _billed(call),
            "gen_ai.system": says.get("gen_ai.system") == "anthropic",
            "gen_ai.request.model": says.get("gen_ai.request.model") == says.get("model"),
            "gen_ai.response.id": says.get("gen_ai.response.id") == says.get("request_id"),
            "finish_reasons": says.get("gen_ai.response.finish_reasons")
            == (says.get("stop_reason"),),
            "context": says.get("llm_request.context")
            == ("interaction" if parent == "interaction" else "tool"),
            "attempts": says.get("attempt") == len(attempts),
            "ttft": ttft is not None and duration is not None and 0 <= ttft <= duration,
            "agent_id": ("agent_id" in says) == (call is not None and call.auxiliary),
        }

    def _tool(self, span: Span) -> _Agreement:
        decision = self._decision(span)
        says = span.attributes
        return {
            "tool_use_id": decision is not None,
            "call_id": says.get("gen_ai.tool.call.id") == says.get("tool_use_id"),
            "tool_name": decision is not None
            and reported_name(str(says.get("tool_name"))) == reported_name(decision.name),
            "input": decision is not None and _of_the_input(span, decision),
        }

    def _execution(self, span: Span) -> _Agreement:
        says = span.attributes
        parent = self._every.get(span.parent_span_id)
        run = self._runs.get(str(says.get("tool_use_id")))
        return {
            "tool_use_id": run is not None
            and parent is not None
            and parent.attributes.get("tool_use_id") == run.tool_use_id,
            "call_id": says.get("gen_ai.tool.call.id") == says.get("tool_use_id"),
            "success": run is not None and says.get("success") is run.ok,
        }

    def _blocked(self, span: Span) -> _Agreement:
        parent = self._every.get(span.parent_span_id)
        decision = None if parent is None else self._decision(parent)
        says = span.attributes
        word = None if decision is None else "accept" if decision.accepted else "reject"
        return {
            "decision": decision is not None and says.get("decision") == word,
            "source": decision is not None and says.get("source") == decision.source,
        }

    def _decision(self, span: Span) -> Decision | None:
        return self._decisions.get(str(span.attributes.get("tool_use_id")))


#: The attribute that repeats a part of a tool's input, and where that part stands.
_PARTS = {
    "file_path": "file_path",
    "full_command": "command",
    "skill_name": "skill",
    "subagent_type": "subagent_type",
}


def _of_the_input(span: Span, decision: Decision) -> bool:
    """Whether each part of the input that the span shows is as the model asked for it."""
    return all(
        # A relative path is told as an absolute one.
        str(span.attributes[key]).endswith(str(decision.input.get(part, "(none)")))
        for key, part in _PARTS.items()
        if key in span.attributes
    )


def _base(model: object) -> str:
    """Return a model's name without the suffix for its context window (``[1m]``)."""
    return str(model).partition("[")[0]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _tokens_of(span: Span) -> tuple[Any, ...]:
    return tuple(_number(span.attributes.get(key)) for key in _TOKENS)


def _billed(call: ApiCall) -> tuple[float, ...]:
    return tuple(float(getattr(call, key)) for key in _TOKENS)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def span_counts(capture: Capture) -> list[Item]:
    """Return one item for each kind of span that a run exported, or had occasion for.

    ``sent`` is how many of that ``name`` were, ``as_it_happened`` whether that is how often there
    was what they tell of. A run that never asked for traces, and sent none, has none to count.
    """
    sent, truth = Counter(short(span.name) for span in capture.spans()), capture.run.truth
    asked = "otlp" in capture.run.environment.get("OTEL_TRACES_EXPORTER", "")
    if not sent and not (asked and truth.api_calls):
        return []
    return [
        Item(
            f"{capture.run.label} · spans called {name}",
            {"name": name, "sent": sent[name], "as_it_happened": sent[name] == times},
        )
        for name, times in _happened(truth).items()
        if times or sent[name]
    ]


def _happened(truth: GroundTruth) -> dict[str, int]:
    ran: tuple[ToolRun, ...] = truth.tools_that_ran
    return {
        "interaction": len(truth.prompts),
        "llm_request": sum(call.status == 200 and not call.probe for call in truth.api_calls),
        "tool": len(truth.decisions),
        "tool.blocked_on_user": len(truth.decisions),
        "tool.execution": len(ran),
    }


MEASURES = (spans, span_counts)
