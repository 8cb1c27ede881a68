"""The spans of a session (August 2026, "Traces (beta)"): names, hierarchy and attributes.

This module is independent of the OpenTelemetry SDK; spans go to a :class:`SpanSink`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import tool_facts, tools
from .attributes import REDACTED, Attributes, Scalar, length
from .client import ApiError, Exchange, ModelReply, ToolUse
from .permissions import Decision
from .settings import Settings

SpanAttributes = dict[str, Scalar | tuple[str, ...]]

#: Attributes of a moment within a span, by its name.
SpanEvent = tuple[str, Attributes]

_CHARACTERS_PER_TOKEN = 4


class SpanSink(Protocol):
    """The receiver of spans. ``start`` returns a handle that can be the ``parent`` of others."""

    def start(
        self, name: str, attributes: Mapping[str, Scalar | tuple[str, ...]], parent: object
    ) -> object: ...

    def end(
        self,
        span: object,
        attributes: Mapping[str, Scalar | tuple[str, ...]],
        events: Sequence[SpanEvent],
        error: str | None,
    ) -> None: ...

    def traceparent(self, span: object) -> str: ...


@dataclass(slots=True)
class Span:
    """An open span, with the attributes that it gets at its end; ``error`` makes it a failure."""

    kind: str
    handle: object = None
    attributes: SpanAttributes = field(default_factory=dict)
    events: list[SpanEvent] = field(default_factory=list)
    error: str | None = None


class Spans:
    """The spans of one session; without a sink, they are dropped."""

    def __init__(
        self,
        sink: SpanSink | None,
        standard: Mapping[str, Scalar],
        settings: Settings,
        query_source: str,
    ) -> None:
        self._sink = sink
        self._standard = dict(standard)
        self._settings = settings
        self._query_source = query_source
        self._open: list[Span] = []
        self._interactions = 0

    @property
    def traceparent(self) -> str:
        """The trace context of the innermost open span, if it is to be handed on; else empty."""
        if self._sink is None or not self._open or not self._settings.propagate_traceparent:
            return ""
        return self._sink.traceparent(self._open[-1].handle)

    @contextlib.contextmanager
    def interaction(self, prompt: str) -> Iterator[None]:
        """Open the span of a user's prompt, until the turn ends."""
        self._interactions += 1
        attributes: SpanAttributes = {
            "user_prompt": prompt if self._settings.log_user_prompts else REDACTED,
            "user_prompt_length": length(prompt),
            "interaction.sequence": self._interactions,
        }
        with self._span("interaction", attributes, duration="interaction.duration_ms"):
            yield

    def request(
        self, model: str, ask: Callable[[], ModelReply], *, agent: tuple[str, str] | None = None
    ) -> ModelReply:
        """Call ``ask``, which makes a request to the model, in a span.

        The request may be that of the subagent ``agent`` (its name as a source, its id).
        """
        attributes: SpanAttributes = {
            "model": model,
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": model,
            "query_source": agent[0] if agent else self._query_source,
            "speed": "normal",
            "llm_request.context": "tool" if agent else "interaction",
        }
        if agent:
            attributes["agent_id"] = agent[1]
        with self._span("llm_request", attributes) as span:
            try:
                answer = ask()
            except ApiError as error:
                _add_exchange(span, error.exchange)
                span.attributes |= {"success": False, "error": error.message}
                if error.status is not None:
                    span.attributes["status_code"] = error.status
                span.error = error.message
                raise
            _add_exchange(span, answer.exchange)
            span.attributes |= {
                "success": True,
                "ttft_ms": answer.first_token_ms,
                "input_tokens": answer.usage.input_tokens,
                "output_tokens": answer.usage.output_tokens,
                "cache_read_tokens": answer.usage.cache_read_tokens,
                "cache_creation_tokens": answer.usage.cache_creation_tokens,
                "stop_reason": answer.stop_reason,
                "gen_ai.response.finish_reasons": (answer.stop_reason,),
            }
            if answer.tool_uses:
                span.attributes["response.has_tool_call"] = True
            return answer

    @contextlib.contextmanager
    def tool(self, use: ToolUse) -> Iterator[None]:
        """Open the span of a tool use, which covers the decision about it and its run."""
        attributes: SpanAttributes = {
            "tool_name": tool_facts.reported_name(use),
            **_call(use),
            **(tool_facts.span_details(use) if self._settings.log_tool_details else {}),
        }
        with self._span("tool", attributes):
            yield

    def blocked(self, decide: Callable[[], Decision]) -> Decision:
        """Call ``decide``, which waits for a permission, in a span."""
        with self._span("tool.blocked_on_user", {}) as span:
            decision = decide()
            span.attributes |= {"decision": decision.word, "source": decision.source}
            return decision

    def execution(self, use: ToolUse, run: Callable[[], tools.Result]) -> tools.Result:
        """Call ``run``, which runs a tool, in a span."""
        with self._span("tool.execution", _call(use)) as span:
            try:
                result = run()
            except tools.ToolError as error:
                details = self._settings.log_tool_details
                span.error = error.telemetry_message if details else error.category
                span.attributes |= {"success": False, "error": span.error}
                raise
            span.attributes["success"] = True
            self._open[-2].attributes["result_tokens"] = (
                length(result.text) // _CHARACTERS_PER_TOKEN
            )
            return result

    @contextlib.contextmanager
    def _span(
        self, kind: str, attributes: SpanAttributes, *, duration: str = "duration_ms"
    ) -> Iterator[Span]:
        """Open a child of the innermost open span that may have children.

        It gets the standard attributes.
        """
        span = Span(kind)
        started = time.monotonic()
        if self._sink is not None:
            # What a subagent does lies below its tool, beside the tool's run.
            parents = [other.handle for other in self._open if other.kind != "tool.execution"]
            parent = parents[-1] if parents else None
            all_attributes = {**self._standard, "span.type": kind, **attributes}
            span.handle = self._sink.start(f"claude_code.{kind}", all_attributes, parent)
        self._open.append(span)
        try:
            yield span
        finally:
            self._open.pop()
            span.attributes[duration] = round((time.monotonic() - started) * 1000)
            if self._sink is not None:
                self._sink.end(span.handle, span.attributes, span.events, span.error)


def _call(use: ToolUse) -> SpanAttributes:
    return {"tool_use_id": use.tool_use_id, "gen_ai.tool.call.id": use.tool_use_id}


def _add_exchange(span: Span, exchange: Exchange) -> None:
    span.attributes |= {
        "client_request_id": exchange.client_request_id,
        "attempt": exchange.attempts,
    }
    if exchange.request_id:
        span.attributes |= {
            "request_id": exchange.request_id,
            "gen_ai.response.id": exchange.request_id,
        }
    for number, client_request_id in enumerate(exchange.attempt_ids, start=1):
        event: Attributes = {"attempt": number, "client_request_id": client_request_id}
        span.events.append(("gen_ai.request.attempt", event))
