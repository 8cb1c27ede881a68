"""The main loop of a session: prompts, the model's answers, tools and their results."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import compaction, subagents, tools
from .called import Called
from .client import ApiError, MessagesClient, ModelReply, ToolUse
from .compaction import Compaction
from .facts import Attribution, Reporter
from .hooks import Hooks
from .mcp_servers import McpServers
from .permissions import Decision, Gate
from .spans import Spans
from .subagents import Subagents

_INTERRUPTED = "The user doesn't want to proceed with this tool use."


@dataclass(frozen=True, slots=True)
class Turn:
    """The end of a turn: the last text of the model, or the error."""

    text: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Every tool of a session: built-in, of MCP servers, and subagents."""

    context: tools.ToolContext
    servers: McpServers
    agents: Subagents
    called: Called

    def definitions(self) -> list[dict[str, Any]]:
        own = [*tools.definitions(), *self.agents.definitions]
        return [*own, *self.servers.definitions]

    def exists(self, name: str) -> bool:
        known = tools.exists(name) or name in subagents.TOOLS
        return known or self.servers.exists(name)

    def run(self, use: ToolUse, traceparent: str) -> tools.Result:
        if tools.is_mcp(use.name):
            return self.servers.run(use.name, use.input)
        if use.name in subagents.TOOLS:
            return self.agents.run(use)
        context = self.context
        if traceparent:
            environ = {**context.environ, "TRACEPARENT": traceparent}
            context = replace(context, environ=environ)
        result = tools.run(use.name, use.input, context)
        if result.skill:
            self.called.skill(result.skill, result.skill_source)
        return result


class MainLoop:
    """One conversation; each :meth:`turn` continues where the last one ended."""

    def __init__(
        self,
        model: str,
        client: MessagesClient,
        reporter: Reporter,
        spans: Spans,
        gate: Gate,
        toolbox: Toolbox,
        hooks: Hooks,
        compaction: Compaction,
    ) -> None:
        self._model = model
        self._client = client
        self._reporter = reporter
        self._spans = spans
        self._gate = gate
        self._toolbox = toolbox
        self._hooks = hooks
        self._compaction = compaction
        self._messages: list[dict[str, Any]] = []
        self._skill = ""
        self._heard_mcp = ""

    def turn(self, prompt: str) -> Turn:
        """Run ``prompt`` to its end: an answer without tools, an error, or a rejection."""
        self._skill = ""
        self._heard_mcp = ""
        with self._spans.interaction(prompt):
            self._reporter.prompt(prompt)
            self._hooks.run("UserPromptSubmit", prompt=prompt)
            command, _, instructions = prompt.partition(" ")
            if command == compaction.COMMAND:
                self._messages = self._compaction.command(self._messages, instructions)
                return Turn("Compacted.", ok=True)
            if self._compaction.due:
                self._messages = self._compaction.automatic(self._messages)
            self._tell([{"type": "text", "text": prompt}])
            while True:
                attribution = Attribution(self._skill, self._heard_mcp)
                try:
                    answer = self._ask()
                except ApiError as error:
                    self._reporter.failed(error, attribution)
                    status = "" if error.status is None else f"{error.status} "
                    return Turn(f"API Error: {status}{error.message}", ok=False)
                self._reporter.answered(answer.exchange, answer.usage, attribution, answer.text)
                self._compaction.note(answer.usage)
                self._messages.append({"role": "assistant", "content": answer.content})
                if not answer.tool_uses:
                    self._hooks.run("Stop")
                    return Turn(answer.text, ok=True)
                if self._use_tools(answer.tool_uses):
                    return Turn("Interrupted. What should be done instead?", ok=True)

    def switch_mode(self) -> str:
        """Go on to the next permission mode, as the person wants; return its name."""
        before, after = self._gate.switch_mode()
        self._toolbox.called.mode(before, after)
        return after

    def _ask(self) -> ModelReply:
        with self._working():
            return self._spans.request(
                self._model,
                lambda: self._client.ask(
                    self._model,
                    self._messages,
                    self._toolbox.definitions(),
                    self._spans.traceparent,
                ),
            )

    def _tell(self, blocks: Sequence[Mapping[str, Any]]) -> None:
        """Add ``blocks`` to the user message that the model gets next."""
        if self._messages and self._messages[-1]["role"] == "user":
            self._messages[-1]["content"] += blocks
        else:
            self._messages.append({"role": "user", "content": list(blocks)})

    def _use_tools(self, uses: Sequence[ToolUse]) -> bool:
        """Run tools and add their results; say whether a person's rejection ended the turn.

        Tools after the rejected one are not run, but have a result nevertheless.
        """
        self._heard_mcp = ""
        interrupted = False
        for use in uses:
            if interrupted:
                block = _tool_result(use, _INTERRUPTED, is_error=True)
            else:
                block, interrupted = self._use(use)
            self._tell([block])
        return interrupted

    def _use(self, use: ToolUse) -> tuple[dict[str, Any], bool]:
        """Decide about one tool, run it, report both.

        Returns its ``tool_result`` block, and whether a person's rejection ends the turn.
        """
        if not self._toolbox.exists(use.name):
            return _tool_result(use, f"No such tool available: {use.name}", is_error=True), False
        with self._spans.tool(use):
            decision = self._spans.blocked(lambda: self._decide(use))
            self._reporter.decided(use, decision)
            if not decision.accepted:
                self._reporter.rejected(use, decision)
                message = f"Permission to use {use.name} has not been granted."
                if decision.ends_the_turn:
                    message = _INTERRUPTED
                return _tool_result(use, message, is_error=True), decision.ends_the_turn
            if tools.is_mcp(use.name):
                self._heard_mcp = self._heard_mcp or use.name
            started = time.monotonic()
            try:
                with self._working():
                    result = self._spans.execution(
                        use, lambda: self._toolbox.run(use, self._spans.traceparent)
                    )
            except tools.ToolError as error:
                self._reporter.broke(use, decision, error, _milliseconds_since(started))
                return _tool_result(use, error.message, is_error=True), False
            self._skill = result.skill or self._skill
            elapsed_ms = _milliseconds_since(started)
            self._reporter.ran(use, decision, result, elapsed_ms, self._model)
            self._run_hooks("PostToolUse", use)
            return _tool_result(use, result.text, is_error=False), False

    def _decide(self, use: ToolUse) -> Decision:
        if self._run_hooks("PreToolUse", use):
            return Decision(False, "hook", by_tool=True)
        return self._gate.decide(use)

    def _run_hooks(self, event: str, use: ToolUse) -> bool:
        return self._hooks.run(
            event,
            use.name,
            tool_name=use.name,
            tool_input=use.input,
            tool_use_id=use.tool_use_id,
        )

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self._reporter.active(time.monotonic() - started)


def _tool_result(use: ToolUse, text: str, *, is_error: bool) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": use.tool_use_id,
        "content": text,
        "is_error": is_error,
    }


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
