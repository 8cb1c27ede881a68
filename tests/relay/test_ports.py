"""Ports for programs of ours: free, outside of those that the system gives out, none twice."""

from __future__ import annotations

import socket
import subprocess
import sys
from itertools import chain, count
from pathlib import Path

import pytest

from harness.relay import ports
from harness.relay.ports import free_port


def test_no_port_is_returned_twice() -> None:
    chosen = [free_port() for _ in range(200)]
    assert len(set(chosen)) == len(chosen)
    with socket.create_server(("127.0.0.1", chosen[0])) as listener:
        assert listener.getsockname()[1] == chosen[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that leave no file")
def test_no_other_process_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not bound yet, and another worker of the same session may choose as well."""
    code = "from harness.relay.ports import free_port; print(free_port(), flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        numbers = chain([theirs - 15_000] * 2, count(7))
        monkeypatch.setattr("harness.relay.ports.secrets.randbelow", lambda below: next(numbers))
        monkeypatch.setattr(ports, "_chosen", set())
        assert 15_007 <= free_port() != theirs
        other.communicate("\n")


def test_the_system_gives_none_of_them_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    says = tmp_path / "range"
    monkeypatch.setattr(ports, "_LINUX_SAYS", says)
    says.write_text("20000\t60999\n")
    assert all(15_000 <= free_port() < 20_000 for _ in range(50))
    # Not on every system is there such a file, and a range may leave nothing below it.
    for text in ("", "1024 65535"):
        says.write_text(text)
        assert 15_000 <= free_port() < 32_768


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        numbers = chain([taken - 15_000] * 2, count(7))
        monkeypatch.setattr("harness.relay.ports.secrets.randbelow", lambda below: next(numbers))
        monkeypatch.setattr(ports, "_chosen", set())
        assert 15_007 <= free_port() != taken
