"""The rooms that pyproject.toml draws, and the size of modules and functions."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"

MODULE_LINES = 400
FUNCTION_LINES = 60
#: The share of all lines that one room may have; each theme is a room.
ROOM_SHARE = 0.15
#: How many rooms may stand on one another.
FLOORS = 11


def test_imports_follow_the_rooms() -> None:
    """The contracts stand in pyproject.toml: the order of the rooms, purity, the reference
    subject, the themes that know nothing of one another."""
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


def test_no_room_is_the_house() -> None:
    lines = Counter[str]()
    for path in HARNESS.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        lines[room(name.removesuffix(".__init__"))] += len(path.read_bytes().splitlines())
    shares = {name: count / lines.total() for name, count in lines.items()}
    assert {name: share for name, share in shares.items() if share > ROOM_SHARE} == {}
    some = {"themes", "themes.session", "relay_themes.passing", "reference", "cli"}
    assert some < set(shares)


def test_few_rooms_stand_on_one_another() -> None:
    floors: dict[str, int] = {}
    below = imports_of_rooms()
    # Raises where rooms import one another in a circle.
    for name in TopologicalSorter(below).static_order():
        floors[name] = 1 + max((floors[each] for each in below[name]), default=0)
    assert max(floors.values()) <= FLOORS
    assert floors["themes.session"] > floors["running"] > floors["otlp"]


def imports_of_rooms() -> Mapping[str, set[str]]:
    """The rooms that each room imports from."""
    graph = grimp.build_graph("harness", cache_dir=None)
    found: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        imported = {room(each) for each in graph.find_modules_directly_imported_by(module)}
        found[room(module)] |= imported - {room(module)}
    return found


def room(module: str) -> str:
    """The room of a module: a theme, or what stands directly in ``harness``."""
    _, *parts = module.split(".")
    if parts[:1] in (["themes"], ["relay_themes"]) and HARNESS.joinpath(*parts[:2]).is_dir():
        return ".".join(parts[:2])
    return parts[0] if parts else ""


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with its number of lines, from ``def`` to its end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1
