"""The standard attributes of a session: its account, installation and terminal."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..contract.versions import Version
from .attributes import Attributes, Scalar
from .settings import Settings
from .versions import Promises

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ACCOUNT_ID_DIGITS = 22


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a session is signed in with; empty strings without one."""

    uuid: str = ""
    organization_uuid: str = ""
    email: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str], promises: Promises) -> Self:
        """Return the account of the OAuth token and of the variables for SDK callers."""
        stored = _claude_json(environ).get("oauthAccount") if signed_in(environ) else None
        account = stored if isinstance(stored, dict) else {}

        def either(variable: str, key: str) -> str:
            value = environ.get(variable, "") if promises.account_variables else ""
            return value or str(account.get(key, ""))

        return cls(
            uuid=either("CLAUDE_CODE_ACCOUNT_UUID", "accountUuid"),
            organization_uuid=either("CLAUDE_CODE_ORGANIZATION_UUID", "organizationUuid"),
            email=either("CLAUDE_CODE_USER_EMAIL", "emailAddress"),
        )

    @property
    def tagged_id(self) -> str:
        """The account's UUID in the format of the admin APIs: 22 digits of base 58."""
        number = uuid.UUID(self.uuid).int
        digits = ""
        for _ in range(_ACCOUNT_ID_DIGITS):
            number, digit = divmod(number, len(_BASE58))
            digits = _BASE58[digit] + digits
        return f"user_01{digits}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The facts about a session that its standard attributes report.

    ``user_id`` is the installation's; ``labels`` are the pairs of OTEL_RESOURCE_ATTRIBUTES;
    ``interactive``: a person sits at a terminal.
    """

    version: Version
    session_id: str
    user_id: str
    labels: Mapping[str, Scalar]
    account: Account = field(default_factory=Account)
    terminal_type: str = ""
    interactive: bool = False

    @property
    def entrypoint(self) -> str:
        return "cli" if self.interactive else "sdk-cli"

    @property
    def query_source(self) -> str:
        """The subsystem that runs the main loop, as events and spans name it."""
        return "repl_main_thread" if self.interactive else "sdk"


def signed_in(environ: Mapping[str, str]) -> bool:
    """Say whether the OAuth token is used: an API key takes precedence."""
    return bool(environ.get("CLAUDE_CODE_OAUTH_TOKEN")) and not environ.get("ANTHROPIC_API_KEY")


def terminal_type(environ: Mapping[str, str], *, interactive: bool) -> str:
    """Return the terminal's name; empty if it has none, ``non-interactive`` without a terminal."""
    if environ.get("CURSOR_TRACE_ID"):
        return "cursor"
    if program := environ.get("TERM_PROGRAM"):
        return program
    if environ.get("TMUX"):
        return "tmux"
    return environ.get("TERM") or ("" if interactive else "non-interactive")


def standard_attributes(
    identity: Identity, settings: Settings, promises: Promises
) -> dict[str, Scalar]:
    """Return the attributes that metrics, events and spans all carry, as the settings say."""
    attributes: Attributes = {}
    if identity.terminal_type:
        attributes["terminal.type"] = identity.terminal_type
    if settings.include_session_id:
        attributes["session.id"] = identity.session_id
    if settings.include_version:
        attributes["app.version"] = str(identity.version)
    if settings.include_entrypoint and promises.entrypoint:
        attributes["app.entrypoint"] = identity.entrypoint
    account = identity.account
    if account.uuid and settings.include_account_uuid:
        attributes["user.account_uuid"] = account.uuid
        if promises.account_id:
            attributes["user.account_id"] = account.tagged_id
    if account.organization_uuid:
        attributes["organization.id"] = account.organization_uuid
    if promises.user_ids:
        attributes["user.id"] = identity.user_id
        if account.email:
            attributes["user.email"] = account.email
    return attributes


def user_id(environ: Mapping[str, str]) -> str:
    """Return the random id of the installation, stored in ``~/.claude.json``.

    Source: August 2026, "Standard attributes".
    """
    stored = _claude_json(environ)
    if isinstance(stored.get("userID"), str):
        return str(stored["userID"])
    fresh = secrets.token_hex(32)
    with contextlib.suppress(OSError):  # a home that cannot be written to has a new id each time
        _path(environ).write_text(json.dumps({**stored, "userID": fresh}), encoding="utf-8")
    return fresh


def _claude_json(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read ``~/.claude.json``; return nothing if it cannot be read."""
    try:
        stored = json.loads(_path(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _path(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME", os.path.expanduser("~"))) / ".claude.json"
