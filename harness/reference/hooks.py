"""Hooks: commands of settings files and plugins that run when something happens in a session."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .attributes import Attributes
from .settings_files import JsonObject, Levels
from .tools import ToolContext
from .versions import Promises

_TIMEOUT_S = 60.0

#: What the document calls the levels of settings, from the lowest to the highest.
_SOURCES = ("userSettings", "projectSettings", "localSettings", "flagSettings", "policySettings")

_FOLDER_OF_THE_PLUGIN = "CLAUDE_PLUGIN_ROOT"

_COMMAND = "command"
_BLOCKED = 2


class Outcome(StrEnum):
    """How a hook ended, by the name of the attribute that counts it."""

    SUCCESS = "num_success"
    BLOCKING = "num_blocking"
    ERROR = "num_non_blocking_error"
    CANCELLED = "num_cancelled"


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of a settings file or plugin; only commands are ever run.

    ``plugin`` is what is logged of the plugin that it comes with, ``folder`` where that plugin is.
    """

    event: str
    kind: str
    source: str
    matcher: str
    command: str
    timeout_s: float
    plugin: Attributes = field(default_factory=dict)
    folder: str = ""

    def matches(self, event: str, subject: str) -> bool:
        pattern = "" if self.matcher == "*" else self.matcher
        matching = not pattern or re.fullmatch(pattern, subject) is not None
        return self.event == event and self.kind == _COMMAND and matching


def configured(levels: Levels, promises: Promises) -> tuple[Hook, ...]:
    """Return the hooks of all levels of settings, the lowest level first."""
    settings = (*levels.own, levels.administered(promises))
    return tuple(
        hook
        for source, level in zip(_SOURCES, settings, strict=True)
        for hook in hooks_in(level, source)
    )


def hooks_in(
    level: JsonObject, source: str, plugin: Attributes | None = None, folder: str = ""
) -> Iterator[Hook]:
    """Yield the hooks of a settings object, or of the file of a plugin, found in ``source``."""
    events = level.get("hooks")
    for event, groups in events.items() if isinstance(events, Mapping) else ():
        for group in groups:
            for hook in group["hooks"]:
                yield Hook(
                    event,
                    str(hook["type"]),
                    source,
                    str(group.get("matcher", "")),
                    str(hook.get("command", "")),
                    float(hook.get("timeout", _TIMEOUT_S)),
                    plugin or {},
                    folder,
                )


class Hooks:
    """Runs the hooks of a session, and logs what becomes of them.

    ``log`` takes the name of an event and its attributes; ``details``: OTEL_LOG_TOOL_DETAILS is
    set.
    """

    def __init__(
        self,
        hooks: Sequence[Hook],
        promises: Promises,
        log: Callable[[str, Attributes], None],
        context: ToolContext,
        session_id: str,
        *,
        details: bool,
    ) -> None:
        self._hooks, self._promises, self._log = hooks, promises, log
        self._context, self._session_id, self._details = context, session_id, details
        self._safe: Attributes = {"safe_mode": "false"} if promises.safe_mode else {}

    def begin(self, how: str) -> None:
        """Log every configured hook, and run those of a session that begins."""
        self.register()
        self.run("SessionStart", how, source=how)

    def end(self) -> None:
        """Run the hooks of a session that ends."""
        self.run("SessionEnd", "other", reason="other")

    def register(self) -> None:
        """Log every configured hook."""
        for hook in self._hooks if self._promises.hooks_registered else ():
            attributes: Attributes = {
                "hook_event": hook.event,
                "hook_type": hook.kind,
                "hook_source": hook.source,
                **self._safe,
                **hook.plugin,
            }
            if self._details and hook.matcher:
                attributes["hook_matcher"] = hook.matcher
            self._log("hook_registered", attributes)

    def run(self, event: str, subject: str = "", **asked: Any) -> bool:
        """Run all hooks of ``event`` about ``subject`` at once; say whether one of them blocks."""
        matching = [hook for hook in self._hooks if hook.matches(event, subject)]
        if not matching:
            return False
        attributes: Attributes = {
            "hook_event": event,
            "hook_name": f"{event}:{subject}" if subject else event,
            "num_hooks": len(matching),
            "managed_only": "false",
            "hook_source": "merged",
            **self._safe,
        }
        logged = self._promises.hooks_run
        if logged:
            self._log("hook_execution_start", attributes)
        started = time.monotonic()
        told = json.dumps({"session_id": self._session_id, "hook_event_name": event, **asked})
        outcomes = Counter(self._outcomes(matching, told))
        elapsed_ms = round((time.monotonic() - started) * 1000)
        if logged:
            counted = {outcome.value: outcomes[outcome] for outcome in Outcome}
            more = {**counted, "total_duration_ms": elapsed_ms}
            self._log("hook_execution_complete", {**attributes, **more})
        return outcomes[Outcome.BLOCKING] > 0

    def _outcomes(self, hooks: Sequence[Hook], told: str) -> list[Outcome]:
        """Start all hooks, and wait for one after the other: each has its own limit."""
        started = time.monotonic()
        running = []
        for hook in hooks:
            own = {_FOLDER_OF_THE_PLUGIN: hook.folder} if hook.folder else {}
            process = subprocess.Popen(
                hook.command,
                shell=True,
                cwd=self._context.folder,
                env={**self._context.environ, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            running.append((hook, process))
        return [
            _outcome(process, told, max(0.0, started + hook.timeout_s - time.monotonic()))
            for hook, process in running
        ]


def _outcome(process: subprocess.Popen[str], told: str, timeout_s: float) -> Outcome:
    """Tell a hook what happened, and wait for it; one that takes too long is killed."""
    try:
        process.communicate(told, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Outcome.CANCELLED
    if process.returncode == 0:
        return Outcome.SUCCESS
    return Outcome.BLOCKING if process.returncode == _BLOCKED else Outcome.ERROR
