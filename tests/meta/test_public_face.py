"""What other people may import: one list, documented, and all that the documents use."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import harness

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
#: What it is installed as, and the documents call it.
OURS = "pytest_cc_otel"

CLASSES: list[type] = [getattr(harness, name) for name in harness.__all__]


def test_there_is_one_list_beside_that_of_the_fixtures() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in HARNESS.rglob("*.py")
        if re.search(r"^__all__\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == {"harness/__init__.py", "harness/plugin/__init__.py"}


def test_a_type_checker_and_python_find_the_same() -> None:
    """The list, the places to import from, and what stands under TYPE_CHECKING."""
    tree = ast.parse((HARNESS / "__init__.py").read_text(encoding="utf-8"))
    checked = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    assert sorted(checked) == harness.__all__
    for name, place in checked.items():
        assert getattr(harness, name) is getattr(importlib.import_module(f"harness.{place}"), name)


def test_what_is_not_public_is_not_there() -> None:
    assert not hasattr(harness, "Store")
    with pytest.raises(ImportError, match="cannot import name 'Store' from 'harness'"):
        from harness import Store  # type: ignore[attr-defined]  # missing on purpose  # noqa: F401


@pytest.mark.parametrize("public", CLASSES, ids=lambda each: each.__name__)
def test_a_public_name_is_documented(public: type) -> None:
    """In its own words; Python writes a text of its own for a dataclass without one."""
    text = vars(public)["__doc__"] or ""
    assert text
    assert not text.startswith(f"{public.__name__}(")


def functions(public: type) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """The public functions of a class (name, function, documentation), its constructor too.

    Parameters of a constructor stand in the documentation of the class.
    """
    for name, value in vars(public).items():
        function = getattr(value, "func", getattr(value, "fget", value))
        if not inspect.isfunction(function):
            continue
        if name == "__init__" and not dataclasses.is_dataclass(public):
            yield name, function, public.__doc__ or ""
        elif name == "__call__" or not name.startswith("_"):
            yield name, function, function.__doc__ or ""


FUNCTIONS = [
    pytest.param(function, text, id=f"{public.__name__}.{name}")
    for public in CLASSES
    for name, function, text in functions(public)
]


def test_there_are_functions_to_look_at() -> None:
    names = {each.id for each in FUNCTIONS}
    assert {"Collector.__init__", "Collector.wait_for", "Capture.events", "Run.label"} <= names
    assert "ClaudeFactory.__call__" in names


@pytest.mark.parametrize(("function", "text"), FUNCTIONS)
def test_a_public_function_says_what_it_takes_and_raises(
    function: Callable[..., Any], text: str
) -> None:
    assert text
    taken = set(inspect.signature(function).parameters) - {"self"}
    assert {name for name in taken if f"``{name}``" not in text} == set()
    raised = [
        node
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function))))
        if isinstance(node, ast.Raise) and node.exc is not None
    ]
    assert not raised or "Raises" in text


#: Words of a name that speak of a time or a length, and how such a name must end.
TIMES = {"time", "started", "ended", "arrived", "opened"}
DURATIONS = {"deadline", "hold", "grace", "seconds", "timeout"}


def test_a_public_number_has_a_unit_in_its_name() -> None:
    names = {
        name
        for public in CLASSES
        for name in [
            *(field.name for field in fields(public) if field.type in ("int", "float")),
            *(p for _, each, _ in functions(public) for p in inspect.signature(each).parameters),
        ]
    }
    times = {name for name in names if TIMES & set(name.split("_"))}
    lengths = {name for name in names if DURATIONS & set(name.split("_"))}
    assert {"start_time_unix_nano", "arrived_unix_nano"} <= times
    assert {"deadline_s", "hold_s"} <= lengths
    assert {name for name in times if not name.endswith("_unix_nano")} == set()
    assert {name for name in lengths if not name.endswith(("_s", "_ms"))} == set()


def fields(public: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(public) if dataclasses.is_dataclass(public) else ()


def documents() -> Iterator[tuple[str, str]]:
    """Every document of ours with the Python that it shows."""
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ):
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        yield path.name, "\n".join(blocks)
    for path in sorted((ROOT / "docs" / "recipes").glob("*.py")):
        yield path.name, path.read_text(encoding="utf-8")


def test_the_documents_import_public_names_only() -> None:
    imported = {
        (name, node.module, alias.name)
        for name, code in documents()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ("harness", OURS)
        for alias in node.names
    }
    assert ("README.md", OURS, "Say") in imported
    assert {each for each in imported if each[1] != OURS} == set()
    assert {name for _, _, name in imported} <= set(harness.__all__)
    for _, code in documents():
        assert not re.search(r"^\s*import (harness|pytest_cc_otel)\.", code, re.MULTILINE)


def test_the_fixtures_speak_of_public_names_only() -> None:
    text = (HARNESS / "plugin" / "fixtures.py").read_text(encoding="utf-8")
    named = re.findall(r":(?:class|meth|func):`harness\.([^`]+)`", text)
    assert "Collector" in named
    assert {each.split(".")[0] for each in named} <= set(harness.__all__)
    assert ":mod:`harness." not in text
