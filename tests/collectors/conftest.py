"""Real collectors and backends, each fetched or built once, and then kept for the user."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Before any pytest session within a test: modules that first come in one would go with it, and
# the next one would import them again.
from harness.assessment import relay  # noqa: F401
from harness.record.jsonl import RunRecord
from tests.collectors import judging, rotel_agent
from tests.collectors import otelcol as building
from tests.collectors.backends import ClickHouse, NoBackendError, clickhouse_library
from tests.processes import leave_workers

if TYPE_CHECKING:
    from conftest import MissingPart

_BEGUN: pytest.StashKey[building.Building | None] = pytest.StashKey()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what needs the collector last, and wait for it longer than for any other test."""
    need_it = [item for item in items if "otelcol" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in set(need_it)]
    items[:] = [*others, *need_it]
    if config.pluginmanager.hasplugin("timeout"):
        for item in need_it:
            item.add_marker(pytest.mark.timeout(building.BUILD_DEADLINE_S))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to build the collector, if a test of this session needs it.

    With pytest-xdist, the first worker does, whichever has the tests.
    """
    config = session.config
    worker = getattr(config, "workerinput", {}).get("workerid", "gw0")
    needed = any("otelcol" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and worker == "gw0" and not config.option.collectonly:
        folder = Path(config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        config.stash[_BEGUN] = building.begin(folder / "otelcol-build.log")


def pytest_sessionfinish(session: pytest.Session) -> None:
    begun = session.config.stash.get(_BEGUN, None)
    if begun is not None:
        building.end(begun)


@pytest.fixture(scope="session")
def otelcol(missing_part: MissingPart) -> Path:
    """The OpenTelemetry Collector, with the components of ``otelcol/builder.yaml``."""
    try:
        return building.built(print)
    except building.NoCollectorError as error:
        missing_part("OpenTelemetry Collector", str(error))


@pytest.fixture(scope="session")
def rotel(missing_part: MissingPart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent of rotel; ``rotel_agent.command`` says how it is started."""
    agent = rotel_agent.found(tmp_path_factory.mktemp("rotel"))
    if agent is None:
        why = "the package 'rotel' of the group 'test'; it has no wheel for every platform"
        missing_part("rotel", why, of_the_machine=not rotel_agent.installable())
    return agent


@pytest.fixture(scope="session")
def prometheus(missing_part: MissingPart) -> Path:
    """The program; ``backends.Prometheus`` runs it."""
    program = shutil.which("prometheus")
    if program is None:
        missing_part("prometheus", "Debian: apt install prometheus")
    return Path(program)


#: Starts ClickHouse in a folder.
Warehouse = Callable[[Path], ClickHouse]


@pytest.fixture(scope="session")
def clickhouse(missing_part: MissingPart) -> Warehouse:
    """Make a ``backends.ClickHouse`` for a folder, to be used as a context manager."""
    try:
        library = clickhouse_library(print)
    except NoBackendError as error:
        missing_part("ClickHouse", str(error))
    return lambda folder: ClickHouse(library, folder)


#: Runs pytest within this process, and returns its exit code.
InProcess = Callable[..., int]

#: Judges a collector by the options that are given, and returns the record.
Judge = Callable[..., RunRecord]


@pytest.fixture
def in_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Run pytest in this process: most of a short run of its own would be imports."""
    leave_workers(monkeypatch)
    return lambda *arguments: int(pytester.runpytest_inprocess("-W", "error", *arguments).ret)


@pytest.fixture
def judge(in_process: InProcess, tmp_path: Path) -> Judge:
    """Judge a collector by the plugin; each call leaves a report of its own."""
    numbers = itertools.count()
    return lambda *options: judging.judged(
        in_process, tmp_path / f"report-{next(numbers)}", *options
    )
