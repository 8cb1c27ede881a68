"""Turn what happens in a session into data points and events, by version and settings.

This module is independent of the OpenTelemetry SDK. Data points and events go to a
:class:`Sink` with the attribute types that they must have on the wire.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from . import tool_facts, tools
from .additions import Additions, Logged
from .attributes import (
    REDACTED,
    Attributes,
    Scalar,
    bounded_json,
    compact_json,
    in_digits,
    length,
    shortened,
)
from .client import ApiError, Exchange, ToolUse, Usage
from .identity import Identity, standard_attributes
from .permissions import Decision
from .settings import Settings
from .transcript import Transcript
from .versions import Promises

_COUNT = "count"

#: Metric name without its prefix -> (unit as of February 2026, description).
METRICS = {
    "session.count": (_COUNT, "Count of CLI sessions started"),
    "lines_of_code.count": (_COUNT, "Count of lines of code modified"),
    "pull_request.count": (_COUNT, "Number of pull requests created"),
    "commit.count": (_COUNT, "Number of git commits created"),
    "cost.usage": ("USD", "Cost of the Claude Code session"),
    "token.usage": ("tokens", "Number of tokens used"),
    "code_edit_tool.decision": (_COUNT, "Count of code editing tool permission decisions"),
    "active_time.total": ("s", "Total active time"),
}

#: US dollars a million tokens: input, output, cache read, cache creation.  An estimate
#: is all that the documents promise.
_PRICES = {
    "haiku": (1.0, 5.0, 0.1, 1.25),
    "opus": (5.0, 25.0, 0.5, 6.25),
    "sonnet-5": (2.0, 10.0, 0.2, 2.5),
}
_OTHER_PRICES = (3.0, 15.0, 0.3, 3.75)

#: How hard the model is to work.
EFFORT = "medium"

#: Where servers of ``--mcp-config`` come from, and what their names become.
MCP_SCOPE = "dynamic"
_CUSTOM = "custom"


def unit_of(metric: str, promises: Promises) -> str:
    unit, _ = METRICS[metric]
    return "" if unit == _COUNT and promises.august else unit


def cost_usd(model: str, usage: Usage) -> float:
    prices = next((p for name, p in _PRICES.items() if name in model), _OTHER_PRICES)
    tokens = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_creation_tokens,
    )
    return sum(price * count for price, count in zip(prices, tokens, strict=True)) / 1e6


class Sink(Protocol):
    """The receiver of data points and events, whose names come without their prefix."""

    def add(self, metric: str, amount: float, attributes: Mapping[str, Scalar]) -> None: ...

    def log(self, event: str, unix_ms: int, attributes: Mapping[str, Scalar]) -> None: ...


@dataclass(frozen=True, slots=True)
class Attribution:
    """The causes of an API request that its metrics and events are attributed to.

    They are the active skill, the MCP tool whose result the request carries, and the subagent
    that makes it: ``agent`` is a placeholder for the ``agent_called`` of people's own.
    ``side_call`` is what it is for, if that is not the conversation.
    """

    skill: str = ""
    mcp_tool: str = ""
    agent: str = ""
    agent_called: str = ""
    side_call: str = ""

    def attributes(self, promises: Promises, *, details: bool) -> Attributes:
        """Return the attributes that a release with these promises tells them by.

        ``details``: OTEL_LOG_TOOL_DETAILS is set.
        """
        named = details and promises.names_attributed
        attributes: Attributes = {}
        if self.agent and promises.agent_name:
            attributes["agent.name"] = self.agent_called if named else self.agent
        if not promises.august:
            return attributes
        if self.skill:
            attributes["skill.name"] = self.skill
        if self.mcp_tool:
            _, server, tool = self.mcp_tool.split("__", 2)
            attributes["mcp_server.name"] = server if named else _CUSTOM
            attributes["mcp_tool.name"] = tool if named else _CUSTOM
        return attributes


class Reporter:
    """Reports what happens in one session as data points and events."""

    def __init__(
        self,
        sink: Sink,
        identity: Identity,
        settings: Settings,
        additions: Additions,
        folder: Path,
        transcript: Transcript,
        *,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._sink = sink
        self._promises = Promises.of(identity.version)
        self._settings = settings
        self._additions = additions
        self._folder = folder
        self._transcript = transcript
        self._clock_ms = clock_ms
        self._standard = standard_attributes(identity, settings, self._promises)
        self._query_source = identity.query_source
        self._labels = dict(identity.labels)
        self._sequence = 0
        self._prompt_id = ""

    def happened(self, event: str, attributes: Attributes) -> None:
        """Report ``event`` as it is told by whoever saw it."""
        self._log(event, attributes)

    def session_started(self, how: str) -> None:
        self._add("session.count", 1, {"start_type": how} if self._promises.start_type else {})

    def prompt(self, text: str) -> None:
        self._prompt_id = str(uuid.uuid4())
        attributes: Attributes = {
            "prompt_length": self._number(length(text)),
            "prompt": text if self._settings.log_user_prompts else REDACTED,
        }
        message_id = self._transcript.keep("user", text)
        if self._promises.message_ids:
            attributes["message.uuid"] = message_id
        self._log("user_prompt", attributes, prompt=text)

    def answered(
        self, exchange: Exchange, usage: Usage, attribution: Attribution, text: str
    ) -> None:
        """Report that an API request was answered; ``text`` is what the model said, if anything."""
        cost = cost_usd(exchange.model, usage)
        shared: Attributes = {"model": exchange.model}
        if self._promises.query_source:
            side = "auxiliary" if attribution.side_call else "main"
            shared["query_source"] = "subagent" if attribution.agent else side
        details = self._settings.log_tool_details
        shared |= attribution.attributes(self._promises, details=details)
        if self._promises.effort:
            shared["effort"] = EFFORT
        self._add("cost.usage", cost, shared)
        for kind, tokens in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cacheRead", usage.cache_read_tokens),
            ("cacheCreation", usage.cache_creation_tokens),
        ):
            self._add("token.usage", tokens, {**shared, "type": kind})
        event: Attributes = {
            "model": exchange.model,
            "cost_usd": self._api_number(cost),
            "duration_ms": self._api_number(exchange.duration_ms),
            "input_tokens": self._api_number(usage.input_tokens),
            "output_tokens": self._api_number(usage.output_tokens),
            "cache_read_tokens": self._api_number(usage.cache_read_tokens),
            "cache_creation_tokens": self._api_number(usage.cache_creation_tokens),
        }
        if self._promises.cost_micros:
            event["cost_usd_micros"] = round(cost * 1e6)
        if text:
            self._said(text, exchange, attribution)
        self._log("api_request", {**event, **self._of_exchange(exchange, attribution)})

    def _said(self, text: str, exchange: Exchange, attribution: Attribution) -> None:
        message_id = self._transcript.keep("assistant", text)
        if not self._promises.responses:
            return
        event: Attributes = {
            "response_length": length(text),
            "response": self._shown(text),
            "model": exchange.model,
            "request_id": exchange.request_id,
            "query_source": self._source(attribution),
        }
        if self._promises.message_ids:
            event["message.uuid"] = message_id
        self._log("assistant_response", event)

    def _shown(self, text: str) -> str:
        """Return what may be shown of an answer."""
        if not self._settings.log_assistant_responses:
            return REDACTED
        return shortened(text, self._settings.content_limit)

    def failed(self, error: ApiError, attribution: Attribution) -> None:
        """Report that the last attempt of an API request failed, by one event."""
        exchange = error.exchange
        event: Attributes = {
            "model": exchange.model,
            "error": error.message,
            "duration_ms": self._api_number(exchange.duration_ms),
            "attempt": self._api_number(exchange.attempts),
        }
        if error.status is not None:
            event["status_code"] = self._api_number(error.status)
        self._log("api_error", {**event, **self._of_exchange(exchange, attribution)})
        if exchange.attempts > 1 and self._promises.exhausted_retries:
            del event["attempt"], event["duration_ms"]
            event["total_attempts"] = self._api_number(exchange.attempts)
            event["total_retry_duration_ms"] = self._api_number(exchange.duration_ms)
            self._log("api_retries_exhausted", {**event, "speed": "normal"})

    def decided(self, use: ToolUse, decision: Decision) -> None:
        """Report the decision about the permission of a tool."""
        source = decision.source if self._promises.hook_decisions else decision.source_without_hooks
        outcome: Attributes = {"decision": decision.word, "source": source}
        if use.name in tools.EDIT_TOOLS:
            language = tools.language_of(use.input)
            point: Attributes = {"decision": decision.word, "language": language}
            if self._promises.edit_decisions:
                point |= {"tool_name": use.name, "source": source}
            if not self._promises.august:
                point["tool"] = use.name
            self._add("code_edit_tool.decision", 1, point)
        event: Attributes = {"tool_name": tool_facts.reported_name(use), **outcome}
        if self._promises.tool_use_id:
            event["tool_use_id"] = use.tool_use_id
        if self._promises.message_ids:
            event["tool_source"] = tool_facts.origin(use)
        if self._promises.decision_parameters:
            details = self._settings.log_tool_details
            event |= tool_facts.parameters(use, self._promises, details=details)
        self._log("tool_decision", event)

    def rejected(self, use: ToolUse, decision: Decision) -> None:
        """Report that a tool was not allowed to run.

        February's ``tool_result`` knows ``decision`` = ``reject``, so such a tool has a
        result there; in August it has none.
        """
        if not self._promises.results_of_runs:
            message = f"{tool_facts.reported_name(use)} was not permitted"
            self._tool_result(use, decision, duration_ms=0, error=(message, ""))

    def ran(
        self, use: ToolUse, decision: Decision, result: tools.Result, duration_ms: int, model: str
    ) -> None:
        self._tool_result(use, decision, duration_ms=duration_ms, result=result)
        attributes: Attributes = {"model": model} if self._promises.lines_model else {}
        for kind, lines in (("added", result.lines_added), ("removed", result.lines_removed)):
            if lines:
                self._add("lines_of_code.count", lines, {**attributes, "type": kind})
        if result.committed:
            self._add("commit.count", len(result.committed), {})
        counted = self._promises.mcp_pull_requests or not tools.is_mcp(use.name)
        if result.opened_pull_request and counted:
            self._add("pull_request.count", 1, {})

    def broke(
        self, use: ToolUse, decision: Decision, error: tools.ToolError, duration_ms: int
    ) -> None:
        """Report that a tool ran and failed."""
        self._tool_result(
            use, decision, duration_ms=duration_ms, error=(error.telemetry_message, error.category)
        )

    def active(self, seconds: float, kind: str = "cli") -> None:
        """Report active time, either of the CLI or (``kind`` ``user``) of a person who types."""
        self._add(
            "active_time.total", seconds, {"type": kind} if self._promises.active_type else {}
        )

    def _tool_result(
        self,
        use: ToolUse,
        decision: Decision,
        *,
        duration_ms: int,
        result: tools.Result | None = None,
        error: tuple[str, str] = ("", ""),
    ) -> None:
        promises, details = self._promises, self._settings.log_tool_details
        event: Attributes = {
            "tool_name": tool_facts.reported_name(use),
            "success": "false" if result is None else "true",
            "duration_ms": self._number(duration_ms),
        }
        if promises.tool_use_id:
            size = len(compact_json(use.input).encode())
            event |= {"tool_use_id": use.tool_use_id, "tool_input_size_bytes": self._number(size)}
        if promises.august:
            event |= {"decision_type": decision.word, "decision_source": decision.source}
        else:
            event |= {"decision": decision.word, "source": decision.source_without_hooks}
        if result is None:
            if details or not promises.august:
                event["error"] = error[0]
            if promises.error_type:
                event["error_type"] = error[1]
        elif promises.result_size:
            event["tool_result_size_bytes"] = self._number(len(result.text.encode()))
        if promises.tool_input and details:
            event["tool_input"] = bounded_json(use.input)
        if promises.mcp_scope and tools.is_mcp(use.name):
            event["mcp_server_scope"] = MCP_SCOPE
        event |= tool_facts.parameters(use, promises, details=details, result=result)
        self._log("tool_result", event)

    def _of_exchange(self, exchange: Exchange, attribution: Attribution) -> Attributes:
        attributes: Attributes = {}
        if self._promises.event_speed:
            attributes["speed"] = "normal"
        if self._promises.effort:
            attributes["effort"] = EFFORT
        if self._promises.message_ids:
            attributes["client_request_id"] = exchange.client_request_id
        if self._promises.query_source:
            attributes["query_source"] = self._source(attribution)
        details = self._settings.log_tool_details
        attributes |= attribution.attributes(self._promises, details=details)
        if self._promises.request_id and exchange.request_id:
            attributes["request_id"] = exchange.request_id
        return attributes

    def _source(self, attribution: Attribution) -> str:
        side = attribution.side_call or self._query_source
        return f"agent:{attribution.agent}" if attribution.agent else side

    def _api_number(self, value: float) -> Scalar:
        return value if self._promises.api_numbers else in_digits(value)

    def _number(self, value: int) -> Scalar:
        return value if self._promises.august else in_digits(value)

    def _add(self, metric: str, amount: float, attributes: Attributes) -> None:
        labelled = self._promises.resource_labels and self._settings.include_resource_attributes
        labels = self._labels if labelled else {}
        self._sink.add(metric, float(amount), {**labels, **self._standard, **attributes})

    def _log(self, event: str, attributes: Attributes, prompt: str = "") -> None:
        logged = Logged(event, attributes, prompt, self._settings, self._folder)
        self._record(event, {**attributes, **self._additions.fields(logged)})
        for name, more in self._additions.events(logged):
            self._record(name, more)

    def _record(self, event: str, attributes: Attributes) -> None:
        now_ms = self._clock_ms()
        instant = datetime.fromtimestamp(now_ms / 1000, UTC)
        own: Attributes = {
            "event.name": event,
            "event.timestamp": instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now_ms % 1000:03}Z",
            "event.sequence": self._sequence,
        }
        self._sequence += 1
        if self._promises.prompt_id and self._prompt_id:
            own["prompt.id"] = self._prompt_id
        labels = self._labels if self._promises.event_labels else {}
        self._sink.log(event, now_ms, {**labels, **self._standard, **own, **attributes})
