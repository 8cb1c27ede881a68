"""What the scenarios observe, as a whole."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

from harness import themes
from harness.capture.observed import Observation, names
from harness.contract.catalogue import Contract


def kinds() -> list[type[Observation]]:
    """Every kind of observation of every theme."""
    found = []
    for theme in pkgutil.iter_modules(themes.__path__):
        if theme.ispkg:
            package = importlib.import_module(f"{themes.__name__}.{theme.name}")
            if any(module.name == "observed" for module in pkgutil.iter_modules(package.__path__)):
                module = importlib.import_module(f"{package.__name__}.observed")
                found += [
                    each
                    for each in vars(module).values()
                    if isinstance(each, type)
                    and issubclass(each, Observation)
                    and each.__module__ == module.__name__
                ]
    return found


def test_every_observed_value_that_a_schema_names_is_one_of_them(contract: Contract) -> None:
    known = {name for kind in kinds() for name in names(kind)}
    asked = {
        each.path[1]
        for each in contract.requirements
        if each.selects.name == "session" and each.path[:1] == ("observed",)
    }
    assert asked
    assert asked <= known


def test_every_name_in_observed_belongs_to_one_kind() -> None:
    counts = Counter(name for kind in kinds() for name in names(kind))
    assert len(counts) >= len(kinds()) > 0
    assert [name for name, count in counts.items() if count > 1] == []
