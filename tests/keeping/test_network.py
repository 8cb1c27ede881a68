"""Nothing that runs in a network of its own leaves the machine, and what it tries is seen."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from harness.capture.export import MAIN
from harness.keeping import cells
from harness.keeping.cells import Cell
from harness.otlp.model import Protocol
from harness.running.stage import Backend, opened
from harness.subject import process
from tests.processes import DEADLINE_S

#: What the package is called where it is, which is another name where it is installed.
PACKAGE = Path(cells.__file__).parents[1].name

#: Says of each place, given as HOST:PORT, whether it can be connected to.
CONNECTING = """
import socket, sys
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 60).close()
        print("yes")
    except OSError:
        print("no")
"""


def connect(cell: Cell, tmp_path: Path, *places: str) -> list[str]:
    return run(cell, tmp_path, CONNECTING, *places)


def run(cell: Cell, tmp_path: Path, program: str, *args: str) -> list[str]:
    done = process.run(
        [sys.executable, "-I", "-S", "-c", program, *args],
        cwd=tmp_path,
        env={},
        output_dir=tmp_path,
        deadline_s=DEADLINE_S,
        cell=cell,
    )
    assert done.exit_code == 0, done.last_output
    return done.stdout.split()


@pytest.mark.needs("network namespace")
def test_nothing_is_reached_but_sockets_of_the_same_network(tmp_path: Path) -> None:
    with Cell(apart=True) as cell, cell.new_socket() as ours, socket.socket() as foreign:
        for listener in (ours, foreign):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        places = [f"127.0.0.1:{each.getsockname()[1]}" for each in (ours, foreign)]
        elsewhere = ("192.0.2.1:443", "2001:db8::1:80", "nobody.example:22")
        assert connect(cell, tmp_path, *places, *elsewhere) == ["yes", "no", "no", "no", "no"]
        reached = set(cell.reached())
        # A machine without a resolver, or without IPv6, asks nobody.
        assert "192.0.2.1:443 (tcp)" in reached
        assert reached <= {"192.0.2.1:443 (tcp)", "[2001:db8::1]:80 (tcp)", *_names(reached)}
        assert cell.reached() == ()
        assert cell.why_not_apart == ""


def _names(reached: set[str]) -> set[str]:
    """A resolver may also try a name with the domain of the machine behind it."""
    return {each for each in reached if each.startswith("nobody.example")}


@pytest.mark.needs("network namespace")
def test_a_session_reaches_its_collectors_and_what_else_it_tries_is_told(tmp_path: Path) -> None:
    with opened({MAIN: Backend()}, Protocol.HTTP_JSON, apart=True) as stage:
        place = stage.endpoint().removeprefix("http://")
        assert connect(stage.cell, tmp_path, place, "192.0.2.1:443") == ["yes", "no"]
        assert stage.proxies[MAIN].wait_for_connection(DEADLINE_S)
        assert stage.cell.reached() == ("192.0.2.1:443 (tcp)",)


#: Asks the proxy at HOST:PORT for tunnels to the places that follow.
TUNNELLING = """
import socket, sys
host, _, port = sys.argv[1].rpartition(":")
for place in sys.argv[2:]:
    with socket.create_connection((host, int(port)), 60) as asking:
        asking.sendall(f"CONNECT {place} HTTP/1.1\\r\\n\\r\\n".encode())
        print(asking.makefile("rb").readline().split()[1].decode())
"""


@pytest.mark.needs("network namespace")
def test_a_forward_proxy_stands_in_the_network_of_its_session(tmp_path: Path) -> None:
    """It leads to what listens there, and what else it is asked for is told, too."""
    with opened({MAIN: Backend()}, Protocol.HTTP_JSON, forward=True, apart=True) as stage:
        assert stage.forward is not None
        stage.forward.lead("far.example:80", int(stage.endpoint().rpartition(":")[2]))
        places = (stage.forward.url.removeprefix("http://"), "far.example:80", "other.example:443")
        assert run(stage.cell, tmp_path, TUNNELLING, *places) == ["200", "403"]
        assert stage.proxies[MAIN].wait_for_connection(DEADLINE_S)
        assert stage.reached() == ("other.example:443",)


def test_where_it_is_forbidden_the_network_is_shared_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *python, program = cells._COMMAND
    forbidding = (
        "\ndef forbidden(): raise PermissionError(1, 'not here')"
        f"\nfrom {PACKAGE}.keeping import network; network.enter = forbidden\n"
    )
    at = program.index(f"from {PACKAGE}")
    changed = program[:at] + forbidding + program[at:]
    monkeypatch.setattr(cells, "_COMMAND", (*python, changed))
    monkeypatch.setattr(cells, "_KEEPER", cells._Keeper())
    with Cell(apart=True) as cell, cell.new_socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        assert "not here" in cell.why_not_apart
        assert connect(cell, tmp_path, f"127.0.0.1:{address[1]}") == ["yes"]
        socket.create_connection(address).close()
        assert cell.reached() == ()
    cells._KEEPER._close()
