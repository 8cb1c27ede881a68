"""Find the modules in the folders of a package, each of which is registered by being there."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def folder_names(package: ModuleType) -> list[str]:
    """Return the folders of a package that are packages themselves, in order of their names."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)


def modules(name: str, package: ModuleType) -> Iterator[ModuleType]:
    """Import the module ``name`` of each folder of ``package`` that has one, and yield it."""
    for folder in folder_names(package):
        full = f"{package.__name__}.{folder}.{name}"
        if importlib.util.find_spec(full) is not None:
            yield importlib.import_module(full)
