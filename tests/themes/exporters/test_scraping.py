"""Scraping while a session lives, and what those say who scrape for a living."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from harness.capture.observed import observed
from harness.keeping.cells import Cell
from harness.otlp.model import Protocol
from harness.relay.ports import free_port
from harness.running.drive import drive
from harness.running.stage import opened
from harness.subject.binary import Binary, resolve
from harness.subject.process import ProcessGroups
from harness.themes.catalogue import SCENARIOS
from harness.themes.exporters import scraping
from harness.themes.exporters.observed import Scrape
from tests.processes import until

#: Serves at a free port, and prints it.
SERVING = """
import http.server

class Serving(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()

server = http.server.HTTPServer(("127.0.0.1", 0), Serving)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("spec", ["reference", "reference:2.1.31"])
def test_promtool_finds_no_fault_in_what_the_emitter_serves(spec: str) -> None:
    has_no_fault(resolve(spec, progress=print))


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("version", ["2.1.31", "2.1.330"])
def test_promtool_finds_no_fault_in_what_a_release_serves(
    version: str, release: Callable[[str], Binary]
) -> None:
    has_no_fault(release(version))


def has_no_fault(binary: Binary) -> None:
    scenario = SCENARIOS["several_exporters"]
    capture = drive(binary, scenario, Protocol.HTTP_JSON, 300.0, ProcessGroups())
    scrape = observed(capture.run, Scrape)
    assert scrape is not None
    text = scrape.text
    assert "claude_code_token_usage_total{" in text
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def free_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """Another default port and lock than the real ones, which others may want."""
    port = free_port()
    monkeypatch.setattr(scraping, "DEFAULT_PORT", port)
    monkeypatch.setattr(scraping, "_LOCK", tmp_path / "lock")
    monkeypatch.setattr(scraping, "_TURN_S", 0.0)
    return port


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which all sessions share one network."""
    monkeypatch.setattr(scraping, "why_not_apart", lambda: "not permitted")


@pytest.mark.usefixtures("shared")
def test_a_free_port_is_no_skip_reason(free_default: int) -> None:
    assert scraping.port_taken() is None


@pytest.mark.usefixtures("shared")
def test_a_taken_port_is_a_skip_reason(free_default: int) -> None:
    with socket.create_server(("127.0.0.1", free_default)):
        assert scraping.port_taken() == f"port {free_default} is taken on this machine"


@pytest.mark.needs("network namespace")
def test_in_a_network_of_its_own_nobody_takes_the_port(free_default: int) -> None:
    with socket.create_server(("127.0.0.1", free_default)):
        assert scraping.port_taken() is None
    with opened({}, Protocol.HTTP_JSON, apart=True) as stage:
        assert scraping.at_the_default_port(stage) == ()


@pytest.mark.usefixtures("shared")
def test_others_who_wait_for_the_port_are_a_skip_reason(free_default: int, tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"):
        reason = scraping.port_taken()
        assert reason is not None
        assert "is waited for by others" in reason


def test_nothing_answers_at_a_free_port(free_default: int) -> None:
    with Cell() as cell:
        assert not scraping.answers(cell, free_default)


@pytest.mark.needs("network namespace")
def test_an_endpoint_is_scraped_in_the_network_of_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy that the machine is told to use plays no part in it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Cell(apart=True) as cell:
        command = [sys.executable, "-I", "-c", SERVING]
        output = tmp_path / "port"
        with output.open("wb") as port_told:
            server = cell.start(command, cwd=tmp_path, env={}, stdout=port_told.fileno())
        with contextlib.closing(server):
            until(lambda: server.ended() or output.read_text().endswith("\n"), "the server")
            port = int(output.read_text())
            assert scraping.answers(cell, port)
            assert not scraping.answers(Cell(), port)
