"""The README's commands are CI's, and its snippets run."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from harness import plugin

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_first_block_holds_exactly_the_two_commands() -> None:
    first = re.search(r"^```\w*\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert first is not None
    main, tests = first.group(1).splitlines()
    assert "pytest --cc-binary=npm:latest" in main
    assert "tox run" in tests


def test_ci_runs_the_second_command_with_every_real_part_and_nothing_else() -> None:
    (_, tests) = blocks("console")[0].splitlines()
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    run = [line for line in script if line and not line.startswith(("#", "set ", "cd "))]
    prometheus = [
        ".ci/prometheus .venv-tests/debian",
        ".ci/chromium",
        'PATH="$PATH:$PWD/.venv-tests/debian/usr/bin"',
    ]
    assert run == [*prometheus, "export CC_OTEL_REQUIRE_REAL_PARTS=1", tests]


def test_tox_hands_on_what_ci_requires() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    passed = settings["testenv"]["pass_env"].split()
    assert {"CC_OTEL_REQUIRE_REAL_PARTS", "CC_OTEL_CACHE"} <= set(passed)


def test_the_second_command_leaves_room_for_the_first() -> None:
    """tox would write a file where the first one makes its environment."""
    (main, _) = blocks("console")[0].splitlines()
    assert main.startswith("python3 -m venv .venv ")
    settings = configparser.ConfigParser()
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    assert settings["tox"].getboolean("venv_redirect") is False


@pytest.mark.slow
def test_the_snippets_run(pytester: pytest.Pytester) -> None:
    exporter, session = blocks("python")
    pytester.makepyfile(test_exporter=exporter, test_session=session)
    result = pytester.runpytest_subprocess(
        "--cc-binary=reference", "test_exporter.py", "test_session.py", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=2)


class Declared:
    """Stands in for pytest's parser: keeps what the plugin declares."""

    def __init__(self) -> None:
        self.options: list[str] = []

    def getgroup(self, name: str, description: str = "") -> Declared:
        return self

    def addoption(self, name: str, *, metavar: str = "", **rest: object) -> None:
        self.options.append(f"{name}={metavar}" if metavar else name)


def test_every_option_is_explained(pytester: pytest.Pytester) -> None:
    declared = Declared()
    plugin.pytest_addoption(declared)  # type: ignore[arg-type]  # as much of a parser as it asks for
    explained = re.findall(r"^\| `(--cc-[^`]+)`", README, re.MULTILINE)
    assert sorted(explained) == sorted(declared.options) != []
    shown = pytester.runpytest_subprocess("--help").stdout.str()
    assert re.findall(r"^  (--cc-\S+)", shown, re.MULTILINE) == declared.options


@pytest.mark.slow
def test_the_first_command_needs_no_plugin_but_ours(pytester: pytest.Pytester) -> None:
    """It runs pytest in this folder, with --strict-config, and only our own dependencies."""
    pytester.makefile(".toml", pyproject=(ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pytester.mkdir("tests").joinpath("test_own.py").write_text("def test_own(): pass")
    others = ("-p", "no:timeout", "-p", "no:xdist", "-p", "no:anyio")
    result = pytester.runpytest_subprocess("--cc-binary=reference", "--co", "-q", *others)
    assert result.ret == pytest.ExitCode.OK, result.stderr.str()
