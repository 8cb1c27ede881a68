"""The README's commands are CI's, and the tests that our documents show run."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OWN_TESTS = (ROOT / "docs" / "own_tests.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_a_newcomer_reads_no_more_than_150_lines() -> None:
    assert len(README.splitlines()) <= 150


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
    (first,) = blocks("python")
    exporter, session = blocks("python", OWN_TESTS)
    pytester.makepyfile(test_first=first, test_exporter=exporter, test_session=session)
    names = ("test_first.py", "test_exporter.py", "test_session.py")
    result = pytester.runpytest_subprocess(
        "--cc-binary=reference", *names, "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=3)


@pytest.mark.slow
def test_the_first_command_needs_no_plugin_but_ours(pytester: pytest.Pytester) -> None:
    """It runs pytest in this folder, with --strict-config, and only our own dependencies."""
    pytester.makefile(".toml", pyproject=(ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pytester.mkdir("tests").joinpath("test_own.py").write_text("def test_own(): pass")
    others = ("-p", "no:timeout", "-p", "no:xdist", "-p", "no:anyio")
    result = pytester.runpytest_subprocess("--cc-binary=reference", "--co", "-q", *others)
    assert result.ret == pytest.ExitCode.OK, result.stderr.str()
