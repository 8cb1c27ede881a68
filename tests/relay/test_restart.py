"""A collector that is restarted in the same place: asked to end, or killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from harness.relay.process import CollectorFault, listens
from harness.relay.target import Target, started

#: Listens, and writes down in the folder that it has, when it starts and is asked to end.
_COLLECTOR = """
import pathlib, signal, socket, sys
address, folder, lives = sys.argv[1:]
log = pathlib.Path(folder, "log")
with log.open("a") as file:
    file.write("started ")
if log.read_text().count("started") > int(lives):
    sys.exit("it has lived too often")
def end(number, frame):
    with log.open("a") as file:
        file.write("asked ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
host, _, port = address.rpartition(":")
with socket.create_server((host, int(port))) as listener:
    while True:
        listener.accept()[0].close()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "collector.py"
    path.write_text(_COLLECTOR)
    return path


def target(script: Path, lives: int) -> Target:
    return Target(command=f"{sys.executable} {script} {{http_in}} {{folder}} {lives}")


def log_of(argv: tuple[str, ...]) -> str:
    return Path(argv[3], "log").read_text()


def test_it_is_restarted_in_the_same_place(script: Path) -> None:
    with started(target(script, 3), []) as collector:
        assert collector.process is not None
        (endpoint,) = collector.endpoints
        began = time.time_ns()
        down = collector.restart()
        assert began < down < time.time_ns()
        assert listens(endpoint.host, endpoint.port)
        assert log_of(collector.process.argv) == "started asked started "
        assert collector.restart(killed=True) > down
        assert listens(endpoint.host, endpoint.port)
        assert log_of(collector.process.argv) == "started asked started started "
        assert collector.stop() == ""


def test_one_that_does_not_come_back_is_told_with_its_log(script: Path) -> None:
    fault = pytest.raises(CollectorFault, match=r"ended by itself(.|\n)*lived too often")
    with started(target(script, 1), []) as collector, fault:
        collector.restart()
