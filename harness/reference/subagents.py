"""Subagents, which make a request of their own to the model for the tool Task (or Agent)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from . import tools
from .called import Called
from .client import ApiError, MessagesClient, ToolUse
from .facts import Attribution, Reporter
from .spans import Spans

#: The tool had two names.
TOOLS = ("Agent", "Task")

_BUILT_IN = "general-purpose"
_CUSTOM = "custom"
_ALIASES = {
    "haiku": "claude-haiku-4-5-20251001",
    "opus": "claude-opus-4-5-20251101",
    "sonnet": "claude-sonnet-4-5-20250929",
}


class Subagents:
    """The subagents of ``--agents`` (JSON: name -> description, prompt, model) and a built-in one.

    They have no tools, so each makes a single request.
    """

    def __init__(
        self,
        config: str,
        model: str,
        client: MessagesClient,
        reporter: Reporter,
        spans: Spans,
        called: Called,
    ) -> None:
        self._own = _read(config)
        self._model = model
        self._client = client
        self._reporter = reporter
        self._spans = spans
        self._called = called

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """The tool, as a request to the Messages API lists it."""
        fields = ("description", "prompt", "subagent_type")
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
        return [{"name": TOOLS[0], "description": "Ask a subagent.", "input_schema": schema}]

    def run(self, use: ToolUse) -> tools.Result:
        """Run the subagent that ``use`` names. Raises :class:`tools.ToolError`."""
        kind = str(use.input.get("subagent_type", _BUILT_IN))
        if kind not in (*self._own, _BUILT_IN):
            raise tools.ToolError(f"Agent type {kind!r} not found.")
        attribution = Attribution(agent=_CUSTOM if kind in self._own else kind, agent_called=kind)
        model = str(self._own.get(kind, {}).get("model") or self._model)
        model = _ALIASES.get(model, model)
        text = {"type": "text", "text": str(use.input.get("prompt", ""))}
        started = time.monotonic()
        try:
            answer = self._spans.request(
                model,
                lambda: self._client.ask(model, [{"role": "user", "content": [text]}], []),
                agent=(f"agent:{attribution.agent}", uuid.uuid4().hex[:16]),
            )
        except ApiError as error:
            self._reporter.failed(error, attribution)
            raise tools.ToolError(f"API Error: {error.message}") from error
        self._reporter.answered(answer.exchange, answer.usage, attribution, answer.text)
        usage = answer.usage
        total = usage.input_tokens + usage.cache_creation_tokens + usage.cache_read_tokens
        elapsed_ms = round((time.monotonic() - started) * 1000)
        self._called.subagent(attribution, model, total + usage.output_tokens, elapsed_ms)
        return tools.Result(answer.text)


def _read(config: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        agents = json.loads(config or "{}")
    except ValueError:
        agents = None
    if isinstance(agents, dict) and all(isinstance(agent, dict) for agent in agents.values()):
        return agents
    raise UsageError(
        "option --agents", seen=repr(config), expected='JSON like {"NAME": {"prompt": "TEXT"}}'
    )
