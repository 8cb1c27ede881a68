"""Bring the settings and plugins of a caller into a session: hooks, permissions, commands."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import UsageError
from .stage import Stage

#: A folder, or the path of one.
Folder = str | os.PathLike[str]


def bring(
    settings: Mapping[str, object], plugins: Sequence[Folder]
) -> Callable[[Stage], Sequence[str]]:
    """Return what prepares a stage with them, and gives the arguments that name them.

    Raises UsageError for settings that are no JSON, and for one folder in place of several.
    """
    try:
        given = ("--settings", json.dumps(settings)) if settings else ()
    except (TypeError, ValueError) as error:
        raise UsageError("settings", seen=str(error), expected="what JSON can say") from error
    if isinstance(plugins, str | os.PathLike):
        raise UsageError("plugins", seen=repr(plugins), expected=f"a list, [{plugins!r}]")

    def prepare(stage: Stage) -> Sequence[str]:
        return (*given, *_arguments(stage, plugins))

    return prepare


def _arguments(stage: Stage, plugins: Sequence[Folder]) -> Sequence[str]:
    named: list[str] = []
    for number, plugin in enumerate(plugins):
        folder = stage.work / plugin
        if not folder.is_dir():
            raise UsageError(
                f"plugins[{number}]",
                seen=f"{os.fspath(plugin)!r}, no folder",
                expected="the folder of a plugin: its path, or its name in the work tree",
            )
        named += ("--plugin-dir", str(_within(stage, folder, number)))
    return named


def _within(stage: Stage, folder: Path, number: int) -> Path:
    """Return a folder of the sandbox; what is elsewhere is copied, so that nothing changes it."""
    if folder.resolve().is_relative_to(stage.sandbox.root.resolve()):
        return folder
    return shutil.copytree(folder, stage.sandbox.root / "plugins" / str(number) / folder.name)
