"""The collector is built once, or not at all: shown with a stand-in for Go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collectors import otelcol
from tests.processes import assert_gone, until

GO = """#!/bin/sh
echo "$@" >> {calls}
if [ "$1" = env ]; then echo go9.9; exit 0; fi
{build}
echo built > otelcol-cc
"""


class Stand:
    """A machine with a Go that does as it is told, and an empty cache."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache = folder / "cache"
        self.calls = folder / "calls"
        self._bin = folder / "bin"
        self._bin.mkdir()
        monkeypatch.setenv("CC_OTEL_CACHE", str(self.cache))
        monkeypatch.setenv("PATH", f"{self._bin}:/usr/bin:/bin")

    def go(self, build: str = "") -> None:
        program = self._bin / "go"
        program.write_text(GO.format(calls=self.calls, build=build))
        program.chmod(0o755)

    @property
    def left(self) -> list[str]:
        return [path.name for path in self.cache.rglob("*") if path.suffix != ".lock"][1:]


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    otelcol._go_version.cache_clear()
    return Stand(tmp_path, monkeypatch)


def test_it_is_built_once(stand: Stand) -> None:
    stand.go()
    said: list[str] = []
    first = otelcol.built(said.append)
    assert first.read_text() == "built\n"
    assert "go9.9" in first.parent.name
    assert [line.split()[0] for line in said] == ["building", "built"]
    assert otelcol.built(said.append) == first
    assert len(said) == 2
    assert [line.split()[0] for line in stand.calls.read_text().splitlines()] == ["env", "build"]
    assert {path.name for path in first.parent.iterdir()} >= {"go.mod", "go.sum", "main.go"}
    assert otelcol.begin(stand.cache / "log") is None


def test_a_build_that_fails_leaves_nothing(stand: Stand) -> None:
    stand.go("echo 'undefined: x'; exit 1")
    with pytest.raises(RuntimeError, match=r"ended with 1:\nundefined: x"):
        otelcol.built(print)
    assert stand.left == []


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("dial tcp: lookup proxy.example: no such host", "cannot fetch the collector's modules"),
        ("go: go.mod requires go >= 1.26.0 (running go 1.22.2; GOTOOLCHAIN=local)", "too old"),
        ("go: errors parsing go.mod: invalid go version '1.26.0'", "too old"),
    ],
    ids=["no proxy", "an old Go", "a very old Go"],
)
def test_a_machine_that_cannot_build_it_has_no_collector(says: str, why: str, stand: Stand) -> None:
    stand.go(f'echo "{says}" >&2; exit 1')
    with pytest.raises(otelcol.NoCollectorError, match=why):
        otelcol.built(print)
    assert stand.left == []


def test_a_machine_without_go_has_no_collector(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.raises(otelcol.NoCollectorError, match="no Go toolchain on PATH"):
        otelcol.built(print)
    assert otelcol.begin(stand.cache / "log") is None


@pytest.mark.slow
def test_what_is_begun_can_be_ended(stand: Stand, tmp_path: Path) -> None:
    stand.go("echo $$ > ../../../../part; mv ../../../../part ../../../../building; exec sleep 600")
    pid_file = tmp_path / "building"
    building = otelcol.begin(tmp_path / "log")
    assert building is not None
    try:
        until(lambda: pid_file.exists() or building.process.ended(), "the build to begin")
        assert not building.process.ended(), (tmp_path / "log").read_text()
    finally:
        otelcol.end(building)
    assert_gone(int(pid_file.read_text()))
    assert stand.left == []
