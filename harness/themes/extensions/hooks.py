"""The hooks of a session: how they are configured, and which of them ran."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...fakes import hook_stub
from ...fakes.hook_stub import BLOCK, FAIL, HANG, SUCCEED
from ...running.stage import Stage
from .observed import OF_A_PLUGIN, ConfiguredHook, Hooked, HookRun
from .plugins import PLUGIN

#: A hook that never ends is given up after this time, in seconds.
LIMIT_S = 1

#: Where each settings file is, and what the document calls it. The last is given as an argument.
USER, PROJECT, LOCAL, FLAG = "userSettings", "projectSettings", "localSettings", "flagSettings"

#: Nothing in the session uses it: hooks of types that older releases do not know are configured
#: for it, and are registered without being run.
UNUSED_TOOL = "NotebookEdit"


@dataclass(frozen=True, slots=True)
class Planned:
    """One hook as it is planned: a command that notes its run, or (``other``) another type."""

    event: str
    name: str = ""
    outcome: str = SUCCEED
    matcher: str = ""
    other: Mapping[str, str] | None = None

    def hook(self, log: Path) -> dict[str, Any]:
        """Return the hook as settings have it."""
        if self.other is not None:
            return dict(self.other)
        more = {"timeout": LIMIT_S} if self.outcome == HANG else {}
        command = hook_stub.command(log, self.name, self.outcome)
        return {"type": "command", "command": command, **more}


PLANNED: Mapping[str, Sequence[Planned]] = {
    USER: (
        Planned("SessionStart", "at the start"),
        Planned("UserPromptSubmit", "at the prompt"),
        Planned("UserPromptSubmit", "also at the prompt"),
        Planned("PreToolUse", "before a command", matcher="Bash"),
        Planned("PreToolUse", "before a command, failing", FAIL, "Bash"),
        Planned("PostToolUse", "after a command", HANG, "Bash"),
        Planned("Stop", "at the stop"),
        Planned("SessionEnd", "at the end"),
    ),
    PROJECT: (
        Planned("PreToolUse", "before reading", BLOCK, "Read"),
        Planned("PreToolUse", "never", matcher=UNUSED_TOOL),
    ),
    LOCAL: tuple(
        Planned("PostToolUse", matcher=UNUSED_TOOL, other=other)
        for other in (
            {"type": "prompt", "prompt": "Is it well?"},
            {"type": "agent", "prompt": "Look whether it is well."},
            {"type": "http", "url": "http://127.0.0.1:9/"},
            {"type": "mcp_tool", "server": "none", "tool": "nothing"},
        )
    ),
    FLAG: (Planned("PreCompact", "before compaction"),),
}


def configure(stage: Stage) -> Sequence[str]:
    """Write the settings files of a session, and return its further arguments."""
    files = {
        USER: stage.home / ".claude" / "settings.json",
        PROJECT: stage.work / ".claude" / "settings.json",
        LOCAL: stage.work / ".claude" / "settings.local.json",
    }
    for source, path in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(_settings(stage, PLANNED[source])), encoding="utf-8")
    return ("--settings", json.dumps(_settings(stage, PLANNED[FLAG])))


def observe(stage: Stage) -> Hooked:
    """Return which hooks were configured and which of them ran."""
    log = _log(stage)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    configured = tuple(
        ConfiguredHook(
            planned.event,
            planned.other["type"] if planned.other else "command",
            source,
            planned.matcher,
        )
        for source, several in PLANNED.items()
        for planned in several
    )
    ran = tuple(HookRun(**json.loads(line)) for line in lines)
    of_plugin = ConfiguredHook(PLUGIN.hook_event, "command", OF_A_PLUGIN)
    return Hooked((*configured, of_plugin), ran, LIMIT_S * 1000, PLUGIN)


def _settings(stage: Stage, several: Sequence[Planned]) -> dict[str, Any]:
    hooks: dict[str, list[dict[str, Any]]] = {}
    for planned in several:
        matcher = {"matcher": planned.matcher} if planned.matcher else {}
        group = {**matcher, "hooks": [planned.hook(_log(stage))]}
        hooks.setdefault(planned.event, []).append(group)
    return {"hooks": hooks}


def _log(stage: Stage) -> Path:
    return stage.sandbox.root / "hooks"
