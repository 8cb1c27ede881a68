"""What the sessions with extensions observe besides telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...capture.observed import Observation

#: Where hooks of plugins are configured, as the document calls it.
OF_A_PLUGIN = "pluginHook"


@dataclass(frozen=True, slots=True)
class ConfiguredHook:
    """One hook of a settings file or plugin: its event, its type and where it is configured."""

    event: str
    type: str
    source: str
    matcher: str = ""


@dataclass(frozen=True, slots=True)
class HookRun:
    """One run of a hook, as noted by itself.

    ``outcome`` is how it was told to end; ``subject`` is the tool that it was run for, or how the
    session began.
    """

    name: str
    outcome: str
    event: str
    subject: str = ""
    tool_use_id: str = ""

    @property
    def full_name(self) -> str:
        """The event and its subject, as the document writes them: ``PreToolUse:Write``."""
        return f"{self.event}:{self.subject}" if self.subject else self.event


@dataclass(frozen=True, slots=True)
class ConfiguredPlugin:
    """The plugin of a session: its name and version, the event of its only hook, and its folders.

    It has no servers of MCP.
    """

    name: str
    version: str
    hook_event: str
    skill_paths: int
    command_paths: int
    agent_paths: int


@dataclass(frozen=True, slots=True)
class Hooked(Observation):
    """The hooks that were configured, and those that ran; a hung one for ``limit_ms``.

    ``plugin`` is the plugin of the session, with a hook of its own.
    """

    NAME: ClassVar[str] = "hooks"

    configured: tuple[ConfiguredHook, ...]
    ran: tuple[HookRun, ...]
    limit_ms: int
    plugin: ConfiguredPlugin | None = None
