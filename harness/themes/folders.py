"""Find the modules of the themes: a folder of ``harness/themes`` is a theme."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from .. import folders, themes


def theme_names() -> list[str]:
    """Return the folders of ``harness/themes``, in order of their names."""
    return folders.folder_names(themes)


def modules(name: str) -> Iterator[ModuleType]:
    """Import the module ``name`` of each theme that has one, and yield it."""
    return folders.modules(name, themes)
