"""Compact a conversation, when its context is full or when asked: go on from a summary of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .attributes import Attributes
from .client import ApiError, MessagesClient, Usage
from .facts import Attribution, Reporter
from .versions import Promises

COMMAND = "/compact"

_WINDOW = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
_ASKING = "Summarize the conversation so far."

Messages = list[dict[str, Any]]


class Compaction:
    """Knows how full the context is, and makes summaries of it."""

    def __init__(
        self,
        model: str,
        client: MessagesClient,
        reporter: Reporter,
        promises: Promises,
        environ: Mapping[str, str],
    ) -> None:
        self._model, self._client, self._reporter = model, client, reporter
        self._promises = promises
        window = environ.get(_WINDOW, "")
        self._window = int(window) if window.isdigit() else None
        self._tokens = 0

    def note(self, usage: Usage) -> None:
        """Remember how many tokens the context has after an answer."""
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_creation_tokens
        self._tokens = read + usage.output_tokens

    @property
    def due(self) -> bool:
        return self._window is not None and self._tokens >= self._window

    def automatic(self, messages: Messages) -> Messages:
        """Compact a conversation whose context is full."""
        return self._run(messages, "auto", "", {})

    def command(self, messages: Messages, instructions: str) -> Messages:
        """Compact a conversation as a person asks for; no summary is ever prepared."""
        why = "miss_custom_instructions" if instructions else "miss_not_ready"
        reuse: Attributes = {"precompute_reuse": why} if self._promises.precomputed else {}
        return self._run(messages, "manual", instructions, reuse)

    def _run(
        self, messages: Messages, trigger: str, instructions: str, more: Attributes
    ) -> Messages:
        """Return what the conversation ``messages`` goes on from: a summary, or itself."""
        before, started = self._tokens, time.monotonic()
        text = {"type": "text", "text": f"{_ASKING} {instructions}"}
        attribution = Attribution(side_call="compact")
        try:
            asking = {"role": "user", "content": [text]}
            answer = self._client.ask(self._model, [*messages, asking], [])
        except ApiError as error:
            self._reporter.failed(error, attribution)
            self._log(trigger, started, {"success": "false", "error": error.message}, before)
            return messages
        self._reporter.answered(answer.exchange, answer.usage, attribution, answer.text)
        self._tokens = answer.usage.output_tokens
        done: Attributes = {"success": "true", "post_tokens": str(self._tokens)}
        self._log(trigger, started, {**done, **more}, before)
        return [
            {"role": "user", "content": [{"type": "text", "text": answer.text}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Understood."}]},
        ]

    def _log(self, trigger: str, started: float, more: Attributes, before: int) -> None:
        if not self._promises.compactions:
            return
        elapsed_ms = round((time.monotonic() - started) * 1000)
        told: Attributes = {
            "trigger": trigger,
            "duration_ms": str(elapsed_ms),
            "pre_tokens": str(before),
        }
        self._reporter.happened("compaction", {**told, **more})
