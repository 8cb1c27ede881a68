from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.subject.sandbox import Sandbox
from harness.subject.terminal import Terminal


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def processes_of() -> Callable[[Sandbox], list[int]]:
    """Find the processes that live in a sandbox, by their HOME."""

    def find(sandbox: Sandbox) -> list[int]:
        return [
            process.pid
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get("HOME") == str(sandbox.home)
        ]

    return find


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """Make an executable shell script: ``script("exit 3")``."""

    def make(text: str, *, name: str = "subject", shebang: str = "#!/bin/sh") -> Path:
        path = tmp_path / name
        path.write_text(f"{shebang}\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def expire(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the deadline pass once a text stands on a screen that changes no more.

    How long the session takes until then is the machine's business.
    """

    def when(shown: str) -> None:
        read = Terminal._read

        def reads(made: Terminal, seconds: float) -> bool:
            printed = read(made, seconds)
            if not printed and shown in made.text:
                made._end_s = float("-inf")
            return printed

        monkeypatch.setattr(Terminal, "_read", reads)

    return when
