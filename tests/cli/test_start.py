"""What a command costs before it begins: only what it needs itself is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness import cli

#: Rooms that take a second together, and packages that take as much again.
HEAVY = (
    *("harness.themes", "harness.relay_themes", "harness.assessment", "harness.judging"),
    *("grpc", "jsonschema", "hypothesis", "cryptography", "uvicorn", "cattrs"),
)


def test_help_imports_no_room_of_a_command() -> None:
    code = (
        "import sys\nfrom harness import cli\ntry: cli.main(['--help'])\n"
        f"except SystemExit: print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=400, check=True
    )
    *helped, imported = done.stdout.splitlines()
    assert imported == "[]"
    text = " ".join(" ".join(helped).split())
    assert all(f" {each.name} {each.help}" in text for each in cli.COMMANDS)


def test_each_command_declares_options(capsys: pytest.CaptureFixture[str]) -> None:
    for each in cli.COMMANDS:
        with pytest.raises(SystemExit) as ended:
            cli.main([each.name, "--help"])
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert out.startswith(f"usage: cc-harness {each.name} ")


def test_each_command_that_prints_a_result_can_print_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = set()
    for each in cli.COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([each.name, "--help"])
        if " --json " not in capsys.readouterr().out:
            without.add(each.name)
    # These two print JSON and nothing else; a script for shells is none.
    assert without == {"inventory", "schema", "completions"}


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.count(".")) == (0, 2)
