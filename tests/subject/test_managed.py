"""Managed settings that one run sees, and nobody else; or, if allowed, the machine for a while."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from filelock import Timeout

from harness.errors import UsageError
from harness.subject import managed
from harness.subject.managed import FOLDER, MAIN_FILE, deployed, on_the_machine, skip_reason

FRAGMENT = "managed-settings.d/10-first.json"
FILES = {MAIN_FILE: {"env": {"A": "1"}}, FRAGMENT: {"env": {"B": "2"}}}

needs_namespace = pytest.mark.needs("mount namespace")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Stands in for the machine's folder; nothing is there yet."""
    return tmp_path / "system" / "claude-code"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def no_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed, "namespace", lambda: ())


@pytest.fixture(params=[("--mount",), ("--user", "--map-root-user", "--mount")], ids=" ".join)
def a_namespace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this kind were the one that works here; skips where it does not."""
    unshare = shutil.which("unshare")
    argv = (str(unshare), *request.param)
    if unshare is None or sys.platform != "linux" or not managed._works(argv):
        pytest.skip(f"unshare {' '.join(request.param)} makes no namespace on this machine")
    monkeypatch.setattr(managed, "namespace", lambda: argv)


def seen_by(prefix: tuple[str, ...], *command: str) -> str:
    done = subprocess.run(
        [*prefix, *command], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.usefixtures("a_namespace")
def test_one_command_sees_them_and_nobody_else(tmp_path: Path) -> None:
    before = FOLDER.exists()
    with deployed(FILES, tmp_path, machine_wide=False) as prefix:
        for name, content in FILES.items():
            assert json.loads(seen_by(prefix, "cat", str(FOLDER / name))) == content
        assert FOLDER.exists() == before
        assert seen_by((), "ls", str(FOLDER.parent)) != seen_by(prefix, "ls", str(FOLDER.parent))
    assert FOLDER.exists() == before
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert list((tmp_path / "beside-managed").iterdir()) == []


@pytest.mark.usefixtures("a_namespace")
def test_what_lies_beside_them_stays_readable(tmp_path: Path) -> None:
    with deployed(FILES, tmp_path, machine_wide=False) as prefix:
        assert seen_by(prefix, "cat", "/etc/passwd") == seen_by((), "cat", "/etc/passwd")


@needs_namespace
def test_where_there_are_namespaces_nothing_hinders_and_nothing_is_written() -> None:
    assert skip_reason(allowed=False) is None
    assert not managed.machine_wide(allowed=True)


@pytest.mark.usefixtures("no_namespace")
def test_without_namespaces_a_person_must_allow_it(tmp_path: Path, folder: Path) -> None:
    why = skip_reason(allowed=False, folder=folder)
    assert why is not None
    assert managed.OPTION in why
    assert str(folder) in why
    with (
        pytest.raises(UsageError, match=managed.OPTION),
        deployed(FILES, tmp_path, machine_wide=False, folder=folder),
    ):
        pass
    assert not folder.exists()


@pytest.mark.usefixtures("no_namespace")
def test_what_is_there_already_hinders(folder: Path) -> None:
    assert skip_reason(allowed=True, folder=folder) is None
    folder.mkdir(parents=True)
    assert skip_reason(allowed=True, folder=folder) is None
    (folder / MAIN_FILE).write_text("{}", encoding="utf-8")
    reason = skip_reason(allowed=True, folder=folder)
    assert reason is not None
    assert str(folder / MAIN_FILE) in reason


@pytest.mark.usefixtures("no_namespace")
def test_a_folder_that_cannot_be_written_to_hinders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert skip_reason(allowed=True, folder=folder) == f"{tmp_path} cannot be written to"


@pytest.mark.usefixtures("no_namespace")
def test_what_is_allowed_is_written_to_the_folder_itself(
    tmp_path: Path, folder: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert managed.machine_wide(allowed=True)
    assert not managed.machine_wide(allowed=False)
    monkeypatch.setattr(managed, "on_the_machine", partial(on_the_machine, lock=lock))
    with deployed(FILES, tmp_path, machine_wide=True, folder=folder) as prefix:
        assert prefix == ()
        assert sorted(path.name for path in folder.iterdir()) == [
            "managed-settings.d",
            MAIN_FILE,
        ]
    assert not folder.exists()


def test_they_are_there_while_the_block_lasts_and_no_longer(folder: Path, lock: Path) -> None:
    with on_the_machine(FILES, folder, lock):
        for name, content in FILES.items():
            assert json.loads((folder / name).read_text(encoding="utf-8")) == content
    assert not folder.exists()


def test_only_what_was_made_is_taken_away(folder: Path, lock: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with on_the_machine(FILES, folder, lock):
        (folder / "managed-settings.d" / "late.json").write_text("{}", encoding="utf-8")
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert left == ["managed-settings.d", "managed-settings.d/late.json", "notes.txt"]


@pytest.mark.parametrize("name", [MAIN_FILE, FRAGMENT])
def test_what_belongs_to_the_machine_is_not_touched(folder: Path, lock: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text("of the machine", encoding="utf-8")
    with pytest.raises(UsageError, match=name), on_the_machine(FILES, folder, lock):
        pass
    assert path.read_text(encoding="utf-8") == "of the machine"
    assert [each for each in folder.rglob("*") if each.is_file()] == [path]


@pytest.mark.parametrize("fault", [ZeroDivisionError, FileNotFoundError, Timeout])
def test_a_fault_within_the_block_leaves_nothing_and_stays_what_it_is(
    folder: Path, lock: Path, fault: type[Exception]
) -> None:
    with pytest.raises(fault, match="of the block"), on_the_machine(FILES, folder, lock):
        raise fault("of the block")
    assert not folder.exists()


def test_two_runs_take_turns(folder: Path, lock: Path) -> None:
    inside = threading.Event()
    seen: list[bool] = []

    def second() -> None:
        with on_the_machine({MAIN_FILE: {"second": True}}, folder, lock):
            seen.append(inside.is_set())

    other = threading.Thread(target=second)
    with on_the_machine(FILES, folder, lock):
        other.start()
        assert json.loads((folder / MAIN_FILE).read_text(encoding="utf-8")) == FILES[MAIN_FILE]
        inside.set()
    other.join(60)
    assert seen == [True]
    assert not folder.exists()


def test_a_turn_that_never_comes_is_told(
    folder: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managed, "_TURN_S", 0.05)
    raised: list[UsageError] = []

    def second() -> None:
        try:
            with on_the_machine(FILES, folder, lock):
                pass
        except UsageError as error:
            raised.append(error)

    with on_the_machine(FILES, folder, lock):
        other = threading.Thread(target=second)
        other.start()
        other.join(60)
    assert "a turn at the settings" in str(raised[0])


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, lock: Path) -> None:
    (tmp_path / "system").write_text("a file", encoding="utf-8")
    folder = tmp_path / "system" / "claude-code"
    with pytest.raises(UsageError, match=managed.OPTION), on_the_machine(FILES, folder, lock):
        pass
