"""Who reports, from where, and the standard attributes that say so."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from harness.contract.versions import Version
from harness.reference.attributes import Attributes, Scalar
from harness.reference.settings import Settings
from harness.reference.versions import Promises

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
        kept = _kept(environ).get("oauthAccount") if signed_in(environ) else None
        account = kept if isinstance(kept, dict) else {}

        def either(variable: str, key: str) -> str:
            told = environ.get(variable, "") if promises.account_variables else ""
            return told or str(account.get(key, ""))

        return cls(
            uuid=either("CLAUDE_CODE_ACCOUNT_UUID", "accountUuid"),
            organization_uuid=either("CLAUDE_CODE_ORGANIZATION_UUID", "organizationUuid"),
            email=either("CLAUDE_CODE_USER_EMAIL", "emailAddress"),
        )

    @property
    def tagged_id(self) -> str:
        """An id in the format of the admin APIs, always the same for one account."""
        number = int.from_bytes(hashlib.sha256(self.uuid.encode()).digest())
        digits = ""
        for _ in range(_ACCOUNT_ID_DIGITS):
            number, digit = divmod(number, len(_BASE58))
            digits += _BASE58[digit]
        return f"user_01{digits}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Say who reports.

    ``user_id`` is the installation's; ``labels`` are the keys of OTEL_RESOURCE_ATTRIBUTES;
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
    """Whether the OAuth token counts: an API key goes before it."""
    return bool(environ.get("CLAUDE_CODE_OAUTH_TOKEN")) and not environ.get("ANTHROPIC_API_KEY")


def terminal_type(environ: Mapping[str, str], *, interactive: bool) -> str:
    """Return the terminal's name, or nothing where a person sits at one that has none."""
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
    """Return what metrics, events and spans all carry; the switches rule all alike."""
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
        if promises.august:
            attributes["user.account_id"] = account.tagged_id
    if account.organization_uuid:
        attributes["organization.id"] = account.organization_uuid
    if promises.august:
        attributes["user.id"] = identity.user_id
        if account.email:
            attributes["user.email"] = account.email
    return attributes


def user_id(environ: Mapping[str, str]) -> str:
    """Return the random id of the installation, kept in ``~/.claude.json``.

    Source: August 2026, "Standard attributes".
    """
    kept = _kept(environ)
    if isinstance(kept.get("userID"), str):
        return str(kept["userID"])
    fresh = secrets.token_hex(32)
    with contextlib.suppress(OSError):  # a home that cannot be written to has a new id each time
        _path(environ).write_text(json.dumps({**kept, "userID": fresh}), encoding="utf-8")
    return fresh


def _kept(environ: Mapping[str, str]) -> dict[str, Any]:
    """``~/.claude.json``, or nothing where there is none that can be read."""
    try:
        kept = json.loads(_path(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _path(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME", os.path.expanduser("~"))) / ".claude.json"
