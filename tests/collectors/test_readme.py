"""The command that the documents show judges the real collector as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collectors.shapes import SHAPES

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("README.md", "docs/validate_a_collector.md")


def test_the_command_works_as_printed(
    otelcol: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = {
        found
        for name in SHOWN
        for found in re.findall(
            r"^pytest --cc-collector-cmd=.*$",
            (ROOT / name).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    (tmp_path / "otelcol").symlink_to(otelcol)
    (tmp_path / "collector.yaml").write_text(SHAPES["scrape"].config.read_text(encoding="utf-8"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("PYTEST_TIMEOUT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    # The most copied set-up, and what docs/collectors.md says of it.
    assert "series.total.scrape" in done.stdout
    assert "the scrape says" in done.stdout
    assert "add `deltatocumulative`" in done.stdout
    for name in ("receiving over", "passing over"):
        assert name in done.stdout
