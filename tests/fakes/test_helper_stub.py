"""The helper that scenarios give a subject: it really runs, counts and tells of itself."""

from __future__ import annotations

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.fakes.helper_stub import LATE_S, install, runs, too_late


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    return tmp_path / "bin with spaces" / "headers-helper"


def ask(launcher: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(launcher), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_each_answer_says_which_run_it_is_of(launcher: Path, tmp_path: Path) -> None:
    install(launcher, tmp_path / "helper", {"x-token": "number-@"})
    answers = [json.loads(ask(launcher, "--for", "tests").stdout) for _ in range(2)]
    assert answers == [{"x-token": "number-1"}, {"x-token": "number-2"}]
    logged: list[Any] = runs(tmp_path / "helper")
    assert [each["number"] for each in logged] == [1, 2]
    assert [each["arguments"] for each in logged] == [["--for", "tests"]] * 2
    assert all(each["started_unix_nano"] <= each["answered_unix_nano"] for each in logged)


def test_runs_at_once_have_numbers_of_their_own(launcher: Path, tmp_path: Path) -> None:
    install(launcher, tmp_path / "helper", {"x-token": "@"})
    with ThreadPoolExecutor(4) as pool:
        answers = {done.stdout for done in pool.map(lambda _: ask(launcher), range(8))}
    assert len(answers) == 8
    assert {each["number"] for each in runs(tmp_path / "helper")} == set(range(1, 9))


def test_it_answers_and_ends_as_it_is_told(launcher: Path, tmp_path: Path) -> None:
    install(launcher, tmp_path / "helper", "no JSON: ~", status=3, delay_s=0.05, padding=4)
    done = ask(launcher)
    assert (done.stdout, done.returncode) == ("no JSON: aaaa", 3)
    assert done.stderr == "no headers today\n"
    (logged,) = runs(tmp_path / "helper")
    took = logged["answered_unix_nano"] - logged["started_unix_nano"]
    assert took >= 50_000_000


def test_a_helper_that_never_ran_logged_nothing(tmp_path: Path) -> None:
    assert runs(tmp_path / "helper") == []


def test_one_that_began_too_late_is_told(launcher: Path, tmp_path: Path) -> None:
    folder = tmp_path / "helper"
    assert too_late(folder, time.time_ns()) == "", "it was not asked at all"
    install(launcher, folder, "~")
    ask(launcher)
    assert too_late(folder, time.time_ns() + 10**12) == ""

    shebang, mark, *rest = launcher.read_text(encoding="utf-8").splitlines()
    launcher.write_text("\n".join([shebang, mark, f"sleep {LATE_S}", *rest]), encoding="utf-8")
    ask(launcher)
    (_, late) = runs(folder)
    assert late["answered_unix_nano"] - late["started_unix_nano"] > LATE_S * 1e9
    assert too_late(folder, time.time_ns()).startswith("the headers helper took ")

    for each in folder.glob("asked-*"):
        each.unlink()
    (folder / "asked-1").touch()
    ended = time.time_ns() + 10 * 10**9
    assert too_late(folder, ended) == "the headers helper took 10.0 s to begin"
