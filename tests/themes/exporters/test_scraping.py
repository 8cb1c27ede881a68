"""Scraping while a session lives, and what those say who scrape for a living."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from harness.capture.observed import observed
from harness.otlp.model import Protocol
from harness.relay.ports import free_port
from harness.running.drive import drive
from harness.subject.binary import Binary, resolve
from harness.subject.process import ProcessGroups
from harness.themes.catalogue import SCENARIOS
from harness.themes.exporters import scraping
from harness.themes.exporters.observed import Scrape


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


def test_a_free_port_is_no_skip_reason(free_default: int) -> None:
    assert scraping.port_taken() is None


def test_a_taken_port_is_a_skip_reason(free_default: int) -> None:
    with socket.create_server(("127.0.0.1", free_default)):
        assert scraping.port_taken() == f"port {free_default} is taken on this machine"


def test_others_who_wait_for_the_port_are_a_skip_reason(free_default: int, tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"):
        reason = scraping.port_taken()
        assert reason is not None
        assert "is waited for by others" in reason


def test_nothing_answers_at_a_free_port(free_default: int) -> None:
    assert not scraping.answers(free_default)
