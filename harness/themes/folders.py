"""Find the modules of the themes: a folder of ``harness/themes`` is a theme."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from harness import themes


def theme_names() -> list[str]:
    """Return the folders of ``harness/themes``, in order of their names."""
    return sorted(module.name for module in pkgutil.iter_modules(themes.__path__) if module.ispkg)


def modules(name: str) -> Iterator[ModuleType]:
    """Import the module ``name`` of each theme that has one, and yield it."""
    for theme in theme_names():
        full = f"{themes.__name__}.{theme}.{name}"
        if importlib.util.find_spec(full) is not None:
            yield importlib.import_module(full)
