"""What a matrix installed is removed over its budget, and nothing else is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assessment.matrix import cache as cache_module
from harness.assessment.matrix.cache import Cache, parse_size
from harness.assessment.matrix.chosen import Chosen
from harness.errors import UsageError
from harness.subject import npm
from harness.subject.binary import Binary


def fill(version: str, size: int = 1_000_000) -> Path:
    """Lay an installed release into the cache."""
    program = npm.folder_of(version) / "node_modules" / ".bin" / "claude"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"#!/bin/sh\nread line\n".ljust(size, b"\n"))
    program.chmod(0o755)
    return program


@pytest.fixture(autouse=True)
def installing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """npm is replaced by what lays a megabyte into the cache."""
    monkeypatch.setenv("CC_OTEL_CACHE", str(tmp_path / "cache"))

    def resolve(spec: str, *, progress: Callable[[str], None]) -> Binary:
        version = spec.removeprefix("npm:")
        if spec.startswith("npm:") and not npm.folder_of(version).exists():
            fill(version)
        return Binary(spec, ("x",), "/x", version)

    monkeypatch.setattr(cache_module, "resolve", resolve)


def use(cache: Cache, *versions: str) -> None:
    for number, version in enumerate(versions):
        cache.resolve(Chosen(version, f"npm:{version}"), print)
        mark = cache._marks / version
        if mark.exists():  # in this order, however coarse the clock of the disk is
            os.utime(mark, (number, number))
        cache.trim(print)


def there(*versions: str) -> list[str]:
    return [version for version in versions if npm.folder_of(version).exists()]


def nobody(version: str) -> bool:
    return False


def test_the_oldest_of_ours_goes_first(tmp_path: Path) -> None:
    fill("2.1.1", 9_000_000)
    use(Cache(tmp_path / "marks", 2_500_000, nobody), "2.1.1", "2.1.2", "2.1.3", "2.1.4")
    assert there("2.1.1", "2.1.2", "2.1.3", "2.1.4") == ["2.1.1", "2.1.3", "2.1.4"]


def test_what_an_interrupted_matrix_installed_is_still_ours(tmp_path: Path) -> None:
    use(Cache(tmp_path / "marks", 10**9, nobody), "2.1.2")
    use(Cache(tmp_path / "marks", 0, nobody), "2.1.2")
    assert there("2.1.2") == []


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "marks", 0, lambda version: version == "2.1.2")
    use(cache, "2.1.2")
    assert there("2.1.2") == ["2.1.2"]
    free = Cache(tmp_path / "marks", 0, nobody)
    program = npm.folder_of("2.1.2") / "node_modules" / ".bin" / "claude"
    with subprocess.Popen([program], stdin=subprocess.PIPE) as running:
        free.trim(print)
        assert there("2.1.2") == ["2.1.2"]
        running.communicate(b"\n")
    free.trim(print)
    assert there("2.1.2") == []


def test_a_mark_of_another_cache_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Cache(tmp_path / "marks", 10**9, nobody), "2.1.2")
    monkeypatch.setenv("CC_OTEL_CACHE", str(tmp_path / "other"))
    fill("2.1.2")
    Cache(tmp_path / "marks", 0, nobody).trim(print)
    assert there("2.1.2") == ["2.1.2"]


def test_other_subjects_are_not_installed(tmp_path: Path) -> None:
    binary = Cache(tmp_path / "marks", 0, nobody).resolve(Chosen("2.1.2", "reference:2.1.2"), print)
    assert binary.spec == "reference:2.1.2"
    assert not (tmp_path / "marks").exists()


def test_sizes() -> None:
    assert [parse_size(text) for text in ("500M", "5g", " 1G ")] == [5 * 10**8, 5 * 10**9, 10**9]
    for text in ("5", "5GB", "-1G", "", "1.5G"):
        with pytest.raises(UsageError, match="--cache-limit: expected a size such as"):
            parse_size(text)
