"""The arrows between rooms, and the size of a room's modules, as docs/architecture.md says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"

#: From the top: a room imports only from itself and from rooms above it.
ROOMS = (
    "errors",
    "findings",
    "baggage",
    "otlp",
    "capture",
    "exposition",
    "contract",
    "checks",
    "verdicts",
    "report",
    "serving",
    "collector",
    "subject",
    "scenarios",
    "testing",
    "fuzzing",
    "suite",
    "plugin",
    "cli",
)
#: These meet in scenarios, the plugin and the command line, and nowhere else.
STRANGERS = ("checks", "collector", "subject")
PURE = ("baggage", "otlp", "exposition", "contract", "checks", "verdicts", "report")
IMPURE_MODULES = frozenset(
    {"socket", "socketserver", "ssl", "asyncio", "threading", "concurrent", "multiprocessing"}
    | {"subprocess", "select", "selectors", "pytest", "_pytest", "grpc", "uvicorn", "uvloop"}
)
#: What the pytest process imports because the plugin is installed, used or not.
ALWAYS_IMPORTED = ("plugin.py",)
HEAVY_MODULES = frozenset(
    {
        "grpc",
        "jsonschema",
        "prometheus_client",
        "hypothesis",
        "google",
        "opentelemetry",
        "uvicorn",
        "referencing",
    }
)
LINES = 400

MODULES = sorted(HARNESS.rglob("*.py"))


def room_of(path: Path) -> str:
    """The room a module lies in; the plugin's parts are one room."""
    first = path.relative_to(HARNESS).parts[0].removesuffix(".py")
    if first == "__init__":
        return "errors"
    return "plugin" if first.startswith("_") else first


def imports(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Full names that a module imports; with ``at_import``, only when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _import_time(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _import_time(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _import_time(node)


def rooms_used(path: Path) -> set[str]:
    used = {name.split(".")[1] for name in imports(path) if name.startswith("harness.")}
    return {"plugin" if name.startswith("_") else name for name in used}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_lies_in_a_known_room() -> None:
    assert {room_of(path) for path in MODULES} <= set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_arrows_point_upwards(path: Path) -> None:
    room = room_of(path)
    above = set(ROOMS[: ROOMS.index(room) + 1])
    assert rooms_used(path) <= above


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_strangers_never_meet(path: Path) -> None:
    room = room_of(path)
    if room in STRANGERS:
        assert rooms_used(path) & set(STRANGERS) <= {room}
    elif room not in ("scenarios", "suite", "plugin", "cli", "testing"):
        assert len(rooms_used(path) & set(STRANGERS)) <= 1


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) in PURE], ids=name_of)
def test_pure_rooms_do_no_io(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE_MODULES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES


def test_being_installed_imports_nothing_heavy() -> None:
    """Follow what ``harness.plugin`` imports at import time, as far as it goes."""
    waiting, seen = list(ALWAYS_IMPORTED), set[str]()
    foreign = set[str]()
    while waiting:
        name = waiting.pop()
        path = HARNESS / name
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        for imported in imports(path, at_import=True):
            if imported.startswith("harness."):
                inner = imported.removeprefix("harness.").replace(".", "/")
                waiting += [f"{inner}.py", f"{inner}/__init__.py"]
            else:
                foreign.add(imported.split(".")[0])
    assert "plugin.py" in seen
    assert not foreign & HEAVY_MODULES
