"""One headless session: the main loop between the model and the tools."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.contract.versions import Version
from harness.testing import tools
from harness.testing.client import ApiError, MessagesClient, ToolUse
from harness.testing.facts import Identity, Reporter, Scalar, Sink
from harness.testing.settings import Settings
from harness.testing.versions import Promises

_EVERYTHING = "bypassPermissions"
_EDITS = "acceptEdits"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What may run: the tools of ``--allowedTools``, and what ``--permission-mode`` adds."""

    allowed_tools: Collection[str] = ()
    mode: str = "default"

    def allow(self, tool: str) -> bool:
        return (
            tool in self.allowed_tools
            or self.mode == _EVERYTHING
            or (self.mode == _EDITS and tool in tools.EDIT_TOOLS)
        )


def run(
    prompt: str,
    *,
    model: str,
    version: Version,
    permissions: Permissions,
    environ: Mapping[str, str],
    folder: Path,
) -> int:
    """Run ``prompt`` to its end, print the last answer, return the exit code.

    Raises :class:`harness.errors.UsageError` for settings that cannot be followed.
    """
    settings = Settings.of(environ)
    promises = Promises.of(version)
    session_id = str(uuid.uuid4())
    client = MessagesClient(environ, session_id=session_id, version=str(version))
    with _telemetry(settings, promises, version) as (sink, labels):
        user_id = _user_id(environ) if promises.august else ""
        identity = Identity(version, session_id, user_id, labels)
        reporter = Reporter(sink, identity, settings)
        place = tools.Place(folder, _command_environment(environ, promises))
        reporter.session_started()
        reporter.prompt(prompt)
        return _converse(prompt, model, client, reporter, permissions, place)


def _converse(
    prompt: str,
    model: str,
    client: MessagesClient,
    reporter: Reporter,
    permissions: Permissions,
    place: tools.Place,
) -> int:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": prompt}]}
    ]
    while True:
        with _active(reporter):
            try:
                answer = client.ask(model, messages, tools.definitions())
            except ApiError as error:
                reporter.failed(error)
                status = "" if error.status is None else f"{error.status} "
                _print(f"API Error: {status}{error.message}")
                return 1
            reporter.answered(answer.exchange, answer.usage)
            results = [_use(use, model, reporter, permissions, place) for use in answer.tool_uses]
        if not results:
            _print(answer.text)
            return 0
        messages.append({"role": "assistant", "content": answer.content})
        messages.append({"role": "user", "content": results})


def _use(
    use: ToolUse, model: str, reporter: Reporter, permissions: Permissions, place: tools.Place
) -> dict[str, Any]:
    """Decide about one tool, run it, report both, answer with its ``tool_result`` block."""
    if not tools.exists(use.name):
        return _tool_result(use, f"No such tool available: {use.name}", is_error=True)
    accepted = permissions.allow(use.name)
    reporter.decided(use, accepted)
    if not accepted:
        reporter.rejected(use)
        message = f"Permission to use {use.name} has not been granted."
        return _tool_result(use, message, is_error=True)
    started = time.monotonic()
    try:
        result = tools.run(use.name, use.input, place)
    except tools.ToolError as error:
        reporter.broke(use, error, _milliseconds_since(started))
        return _tool_result(use, error.message, is_error=True)
    reporter.ran(use, result, _milliseconds_since(started), model)
    return _tool_result(use, result.text, is_error=False)


def _tool_result(use: ToolUse, text: str, *, is_error: bool) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": use.tool_use_id,
        "content": text,
        "is_error": is_error,
    }


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


@contextlib.contextmanager
def _active(reporter: Reporter) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        reporter.active(time.monotonic() - started)


class _NoTelemetry:
    def add(self, metric: str, amount: float, attributes: Mapping[str, Scalar]) -> None: ...

    def log(self, event: str, unix_ms: int, attributes: Mapping[str, Scalar]) -> None: ...


@contextlib.contextmanager
def _telemetry(
    settings: Settings, promises: Promises, version: Version
) -> Iterator[tuple[Sink, Mapping[str, Scalar]]]:
    """The sink, flushed at the end, and the custom attributes.

    The SDK is imported only where something is to be exported.
    """
    if settings.metrics_protocol is None and settings.logs_protocol is None:
        yield _NoTelemetry(), {}
        return
    from harness.testing import telemetry

    sink = telemetry.OtlpSink(settings, promises, str(version))
    try:
        yield sink, telemetry.custom_attributes()
    finally:
        sink.close()


def _user_id(environ: Mapping[str, str]) -> str:
    """The random id of the installation, kept in ``~/.claude.json`` (August 2026,
    "Standard attributes")."""
    path = Path(environ.get("HOME", os.path.expanduser("~"))) / ".claude.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    if isinstance(kept, dict) and isinstance(kept.get("userID"), str):
        return str(kept["userID"])
    user_id = secrets.token_hex(32)
    with contextlib.suppress(OSError):  # a home that cannot be written to has a new id each time
        path.write_text(json.dumps({**kept, "userID": user_id}), encoding="utf-8")
    return user_id


def _command_environment(environ: Mapping[str, str], promises: Promises) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if not (promises.clean_bash and name.startswith("OTEL_"))
    }


def _print(text: str) -> None:
    print(text)  # noqa: T201 - what a headless session is asked for
