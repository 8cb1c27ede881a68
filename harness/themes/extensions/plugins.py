"""The plugin of a session: what it consists of, and what is to be logged of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...running.secrets import unique_word
from ...running.stage import Stage
from .observed import ConfiguredPlugin

#: Unique, because it stays private behind closed gates: it is a canary.
NAME = unique_word("plugin_name")

#: Nothing in the session gives occasion for its hook, and no settings file has one for it.
_HOOK_EVENT = "SubagentStop"

PLUGIN = ConfiguredPlugin(
    name=NAME,
    version="4.7.11",
    hook_event=_HOOK_EVENT,
    skill_paths=1,
    command_paths=1,
    agent_paths=1,
)

_HOOKS = {_HOOK_EVENT: [{"hooks": [{"type": "command", "command": "true"}]}]}

_FILES: Mapping[str, str] = {
    ".claude-plugin/plugin.json": json.dumps(
        {"name": NAME, "version": PLUGIN.version, "description": "Tidies up."}
    ),
    "hooks/hooks.json": json.dumps({"hooks": _HOOKS}),
    "skills/sweep/SKILL.md": "---\nname: sweep\ndescription: Sweeps.\n---\nSweep.\n",
    "commands/mop.md": "---\ndescription: Mops.\n---\nMop.\n",
    "commands/rinse.md": "---\ndescription: Rinses.\n---\nRinse.\n",
    "agents/duster.md": "---\nname: duster\ndescription: Dusts.\n---\nDust.\n",
}


def configure(stage: Stage) -> Sequence[str]:
    """Write the plugin, and return the arguments that load it."""
    folder = stage.sandbox.root / "plugin"
    for name, text in _FILES.items():
        _write(folder / name, text)
    return ("--plugin-dir", str(folder))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
