"""Captures of production data, made of recordings of real releases that come with us."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from harness.capture.capture import Capture
from harness.relay import golden
from tests.fleet.lines import Recorded, WriteLines


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    @cache
    def load(release: str) -> dict[str, Capture]:
        return {capture.run.scenario: capture for capture in golden.load(release)}

    return lambda release, scenario: load(release)[scenario]


@pytest.fixture
def capture_file(tmp_path: Path) -> WriteLines:
    def write(lines: Sequence[bytes], name: str = "otel.json") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write
