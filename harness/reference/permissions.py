"""Decide which tools may run, by the settings or by asking a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from . import tools
from .client import ToolUse

_EVERYTHING = "bypassPermissions"
_EDITS = "acceptEdits"

#: What a person goes through, one after the other; from any other mode, the first is next.
_MODES = ("default", _EDITS, "plan")

#: Tools that change nothing are never asked about.
_SAFE = frozenset({"Read"})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a tool may run; ``source`` is one of the documented words."""

    accepted: bool
    source: str = "config"
    by_tool: bool = False

    @property
    def word(self) -> str:
        return "accept" if self.accepted else "reject"

    @property
    def source_without_hooks(self) -> str:
        """The source in the words of a document that does not know that hooks decide."""
        return "config" if self.source == "hook" else self.source

    @property
    def ends_the_turn(self) -> bool:
        """Whether a person rejected the tool, and speaks next; the settings do not end a turn."""
        return not self.accepted and self.source != "config" and not self.by_tool


class Reply(Enum):
    """The answers of a person to a permission prompt."""

    YES = "yes"
    YES_FOR_THE_SESSION = "yes, for the session"
    YES_AND_NEVER_ASK_AGAIN = "yes, and never ask again"
    NO = "no"
    DISMISSED = "dismissed"


_DECISIONS = {
    Reply.YES: Decision(True, "user_temporary"),
    Reply.YES_FOR_THE_SESSION: Decision(True, "user_temporary"),
    Reply.YES_AND_NEVER_ASK_AGAIN: Decision(True, "user_permanent"),
    Reply.NO: Decision(False, "user_reject"),
    Reply.DISMISSED: Decision(False, "user_abort"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission rule: the calls of ``tool`` that begin with ``words``."""

    tool: str
    words: str

    @classmethod
    def of(cls, use: ToolUse) -> Rule:
        """Return the rule that a permission prompt offers for ``use``."""
        if use.name != "Bash":
            return cls(use.name, _subject(use))
        first, *rest = _subject(use).split() or [""]
        # As in "git commit": what is done is often told by the second word only.
        return cls(use.name, f"{first} {rest[0]}" if rest and rest[0].isalpha() else first)

    def covers(self, use: ToolUse) -> bool:
        if use.name != self.tool:
            return False
        return not self.words or f"{_subject(use)} ".startswith(f"{self.words} ")

    def __str__(self) -> str:
        return f"{self.words or self.tool} *"


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permission settings of a session.

    They allow the tools of ``--allowedTools``, and what ``--permission-mode`` adds, without those
    of ``--disallowedTools``.
    """

    allowed_tools: Collection[str] = ()
    mode: str = "default"
    denied: Sequence[Rule] = ()

    def deny(self, use: ToolUse) -> bool:
        return any(rule.covers(use) for rule in self.denied)

    def allow(self, tool: str) -> bool:
        server = "__".join(tool.split("__")[:2])
        return (
            tool in _SAFE
            or tool in self.allowed_tools
            # A rule may name a whole MCP server.
            or (tools.is_mcp(tool) and server in self.allowed_tools)
            or self.mode == _EVERYTHING
            or (self.mode == _EDITS and tool in tools.EDIT_TOOLS)
        )


class Gate:
    """Decides about each tool use; ``ask`` is None if no person can be asked.

    ``tool`` calls the tool of ``--permission-prompt-tool``, if there is one, and returns its text.
    """

    def __init__(
        self,
        permissions: Permissions,
        ask: Callable[[ToolUse], Reply] | None,
        tool: Callable[[ToolUse], str] | None = None,
    ) -> None:
        self._tool = tool
        self._permissions = permissions
        self._ask = ask
        self._rules: list[Rule] = []

    def switch_mode(self) -> tuple[str, str]:
        """Go on to the next permission mode; return the one before and the new one."""
        before = self._permissions.mode
        place = _MODES.index(before) + 1 if before in _MODES else 0
        self._permissions = replace(self._permissions, mode=_MODES[place % len(_MODES)])
        return before, self._permissions.mode

    def decide(self, use: ToolUse) -> Decision:
        if self._permissions.deny(use):
            return Decision(False)
        if self._allowed(use):
            return Decision(True)
        if self._tool is not None:
            return _by_tool(self._tool, use)
        if self._ask is None:
            return Decision(False)
        reply = self._ask(use)
        if reply is Reply.YES_FOR_THE_SESSION:
            self._permissions = replace(self._permissions, mode=_EDITS)
        elif reply is Reply.YES_AND_NEVER_ASK_AGAIN:
            self._rules.append(Rule.of(use))
        return _DECISIONS[reply]

    def _allowed(self, use: ToolUse) -> bool:
        allowed = self._permissions.allow(use.name)
        return allowed or any(rule.covers(use) for rule in self._rules)


def _subject(use: ToolUse) -> str:
    """Return what rules about ``use`` are compared with: its command, or its skill."""
    if use.name == "Bash":
        return " ".join(str(use.input.get("command", "")).split())
    return tools.skill_name(use.input) if use.name == "Skill" else ""


def _by_tool(tool: Callable[[ToolUse], str], use: ToolUse) -> Decision:
    """Decide by the answer of a permission tool; one that fails or says nothing valid rejects."""
    try:
        behaviour = json.loads(tool(use)).get("behavior")
    except (tools.ToolError, ValueError, AttributeError):
        behaviour = None
    if behaviour == "allow":
        return Decision(True, "user_temporary", by_tool=True)
    return Decision(False, "user_reject" if behaviour == "deny" else "config", by_tool=True)
