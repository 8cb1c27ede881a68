"""What completes our commands in a shell."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import shtab

from harness import cli

#: Completes the last word of a line as bash does, and prints what it offers.
COMPLETE = """
source "$0"
function="$(complete -p cc-harness | sed 's/.* -F \\([^ ]*\\) .*/\\1/')"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$function" cc-harness "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completions") / "cc-harness"
    with pytest.MonkeyPatch.context() as patched, path.open("w", encoding="utf-8") as file:
        patched.setattr(sys, "stdout", file)
        assert cli.main(["completions", "bash"]) == cli.OK
    return path


def completed(script: Path, line: str, folder: Path) -> set[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, str(script), *shlex.split(line)],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return {*done.stdout.split()}


@pytest.mark.needs("bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cc-harness co", {"collector", "completions"}),
        ("cc-harness judge --rep", {"--report"}),
        ("cc-harness check otel", {"otel.json", "otel"}),
        ("cc-harness judge otel", {"otel"}),
        ("cc-harness diff --fail-on breaking --form", {"--format"}),
        ("cc-harness diff --format ht", {"html"}),
    ],
)
def test_bash_completes(script: Path, tmp_path: Path, line: str, offered: set[str]) -> None:
    (tmp_path / "otel.json").touch()
    (tmp_path / "otel").mkdir()
    assert completed(script, line, tmp_path) == offered


def test_other_shells_get_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completions", "zsh"]) == cli.OK
    out = capsys.readouterr().out
    assert out.startswith("#compdef cc-harness")
    assert all(f"{each.name}:'{each.help[:20]}" in out for each in cli.COMMANDS)


def test_what_is_lacking_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shtab, "SUPPORTED_SHELLS", ["bash"])
    assert cli.main(["completions", "zsh"]) == cli.USAGE
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert cli.main(["completions", "bash"]) == cli.USAGE
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("cc-harness: SHELL zsh: expected one of these, or a newer shtab, saw ")
    assert second.endswith("pip install 'pytest-cc-otel[completions]', saw no shtab")
