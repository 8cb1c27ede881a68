"""The rooms that pyproject.toml draws, and the size of modules and functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"

MODULE_LINES = 400
FUNCTION_LINES = 60


def test_imports_follow_the_rooms() -> None:
    """The contracts stand in pyproject.toml: order of the rooms, purity, the reference subject."""
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_modules_stay_small() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in HARNESS.rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}
    assert len(lengths) > 100


def test_functions_stay_small() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}: {name}": lines
        for path in HARNESS.rglob("*.py")
        for name, lines in functions(path)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert len(lengths) > 1000


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with its number of lines, from ``def`` to its end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1
