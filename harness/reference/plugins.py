"""Report the plugins that a session loads from folders (``--plugin-dir``), and their hooks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .attributes import Attributes
from .hooks import Hook, hooks_in
from .settings_files import load
from .versions import Promises

#: Where plugins of folders are said to come from.
_MARKETPLACE = "inline"

#: What stands for names that are not shown.
_ANY = "third-party"

_SOURCE = "pluginHook"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin in a folder, by what its manifest says and what there is beside it."""

    folder: Path
    name: str
    version: str

    @classmethod
    def at(cls, folder: Path) -> Plugin:
        manifest = load(folder / ".claude-plugin" / "plugin.json")
        return cls(folder, str(manifest.get("name", folder.name)), str(manifest.get("version", "")))

    @property
    def id_hash(self) -> str:
        return hashlib.sha256(f"{self.name}@{_MARKETPLACE}".encode()).hexdigest()[:16]

    def hooks(self, *, details: bool) -> tuple[Hook, ...]:
        """Return its hooks, with what is logged of their plugin."""
        plugin: Attributes = {
            "plugin.name": self.name if details else _ANY,
            "plugin_id_hash": self.id_hash,
        }
        level = load(self.folder / "hooks" / "hooks.json")
        return tuple(hooks_in(level, _SOURCE, plugin, str(self.folder)))

    def loaded(self, promises: Promises, *, details: bool) -> Attributes:
        """Return the attributes of the event that tells of it."""
        event: Attributes = {
            "plugin.name": self.name if details else _ANY,
            "marketplace.name": _MARKETPLACE if details else _ANY,
            "plugin.scope": "user-local",
            "enabled_via": "user-install",
            "plugin_id_hash": self.id_hash,
            "has_hooks": bool(self.hooks(details=details)),
            "has_mcp": (self.folder / ".mcp.json").is_file(),
            "skill_path_count": self._folders("skills"),
            "command_path_count": self._folders("commands"),
            "agent_path_count": self._folders("agents"),
        }
        if details and self.version:
            event["plugin.version"] = self.version
        if promises.host_mcp:
            event["host_owned_mcp"] = False
        if promises.safe_mode:
            event["safe_mode"] = "false"
        return event

    def _folders(self, name: str) -> int:
        return int((self.folder / name).is_dir())


def report(
    plugins: Sequence[Plugin],
    promises: Promises,
    log: Callable[[str, Attributes], None],
    *,
    details: bool,
) -> None:
    """Log each plugin as loaded."""
    for plugin in plugins if promises.plugins_loaded else ():
        log("plugin_loaded", plugin.loaded(promises, details=details))


def hooks_of(plugins: Sequence[Plugin], *, details: bool) -> Iterator[Hook]:
    """Yield the hooks of all plugins."""
    for plugin in plugins:
        yield from plugin.hooks(details=details)
