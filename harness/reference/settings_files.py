"""The settings files of a session, in the order of their precedence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..subject.managed import FOLDER, MAIN_FILE
from .versions import Promises

JsonObject = Mapping[str, Any]

_OTLP = "OTEL_EXPORTER_OTLP_"
_SIGNALS = ("METRICS", "LOGS", "TRACES")
_CREDENTIALS = ("HEADERS", "CLIENT_KEY", "CLIENT_CERTIFICATE")

#: Which of :attr:`Levels.own` come with a repository.
_OF_A_REPOSITORY = (1, 2)


@dataclass(frozen=True, slots=True)
class Levels:
    """The settings objects of all levels.

    ``own`` from the lowest level to the highest (user, shared project, local project, command
    line); ``managed`` is above them all, its file first and then its ``fragments``, by name.
    """

    own: tuple[JsonObject, ...] = ()
    managed: JsonObject = field(default_factory=dict)
    fragments: tuple[JsonObject, ...] = ()

    def merged(self, promises: Promises) -> dict[str, Any]:
        """Merge all levels into the settings of the session."""
        return _merged(*self.own, self.administered(promises))

    def administered(self, promises: Promises) -> dict[str, Any]:
        """Merge the managed settings alone."""
        return _merged(self.managed, *(self.fragments if promises.managed_fragments else ()))


def read(
    environ: Mapping[str, str], folder: Path, command_line: str = "", managed: Path = FOLDER
) -> Levels:
    """Read the settings of a session in ``folder``.

    A file that does not exist, or holds no JSON object, is left out. ``command_line`` is the
    value of ``--settings``.
    """
    home = Path(environ.get("HOME", "~")).expanduser()
    user = Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    project = folder / ".claude"
    files = (user / "settings.json", project / "settings.json", project / "settings.local.json")
    return Levels(
        own=(*map(load, files), _given(command_line)),
        managed=load(managed / MAIN_FILE),
        fragments=tuple(map(load, sorted((managed / "managed-settings.d").glob("*.json")))),
    )


def apply(levels: Levels, environ: MutableMapping[str, str], promises: Promises) -> None:
    """Set the ``env`` of every level in ``environ``; the highest level wins."""
    managed = _env(levels.administered(promises))
    for level, settings in enumerate(levels.own):
        variables = _env(settings)
        if promises.repository_settings_closed and level in _OF_A_REPOSITORY:
            variables = {name: value for name, value in variables.items() if _may_set(name, value)}
        environ.update(variables)
    if promises.managed_locks:
        for name in _locked(managed):
            if name not in managed:
                environ.pop(name, None)
    environ.update(managed)


def _may_set(name: str, value: str) -> bool:
    """Say whether a repository may set the variable: it may switch a signal off."""
    if re.fullmatch(r"OTEL_(METRICS|LOGS|TRACES)_EXPORTER", name):
        return value == "none"
    return name != "CLAUDE_CODE_ENABLE_TELEMETRY" and not name.startswith((_OTLP, "OTEL_LOG_"))


def _locked(managed: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables that nobody but an administrator may set, once ``managed`` is set."""
    every_endpoint = [f"{_OTLP}{signal}_ENDPOINT" for signal in _SIGNALS]
    if f"{_OTLP}ENDPOINT" in managed:
        yield from every_endpoint
    if f"{_OTLP}PROTOCOL" in managed:
        yield from (f"{_OTLP}{signal}_PROTOCOL" for signal in _SIGNALS)
    for credential in _CREDENTIALS:
        if f"{_OTLP}{credential}" in managed:
            yield from (f"{_OTLP}{signal}_{credential}" for signal in _SIGNALS)
            yield from (f"{_OTLP}ENDPOINT", *every_endpoint)
        for signal in _SIGNALS:
            if f"{_OTLP}{signal}_{credential}" in managed:
                yield f"{_OTLP}{signal}_ENDPOINT"


def _env(settings: JsonObject) -> dict[str, str]:
    variables = settings.get("env")
    if not isinstance(variables, Mapping):
        return {}
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def _merged(*levels: JsonObject) -> dict[str, Any]:
    """Merge objects key by key, and join lists; of any other values the last wins."""
    whole: dict[str, Any] = {}
    for level in levels:
        for key, value in level.items():
            before = whole.get(key)
            if isinstance(before, Mapping) and isinstance(value, Mapping):
                whole[key] = _merged(before, value)
            elif isinstance(before, list) and isinstance(value, list):
                whole[key] = [*before, *(item for item in value if item not in before)]
            else:
                whole[key] = value
    return whole


def _given(text: str) -> JsonObject:
    if not text:
        return {}
    return _parsed(text) if text.lstrip().startswith("{") else load(Path(text))


def load(path: Path) -> JsonObject:
    """Return the object in a file; an empty one where there is none, as releases take it."""
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except OSError:
        return {}


def _parsed(text: str) -> JsonObject:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
