"""Every command and every file that our documents show is one that our programs take.

What they show in Python is run by test_readme.py and tests/plugin/test_recipes.py.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import reference_page
import yaml

from harness import cli
from harness.contract.files import read_json, schema_root

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

#: Programs that are not ours, and what a shell has.
OTHERS = {
    *("apt-get", "git", "lint-imports", "locust", "mkdir", "pip", "printf", "python", "python3"),
    *("tox", "towncrier"),
}
#: What a reader sees, and nobody parses.
SHOWN = {"", "text", "{toctree}", "{include} ../CONTRIBUTING.md"}

#: What we show in TOML are the intended changes of a collector.
CHANGES = "collector_changes.schema.json"

OPTIONS = {each.name: each for group in reference_page.declared().values() for each in group}


@dataclass(frozen=True)
class Block:
    """A block of code, and where it stands."""

    page: str
    language: str
    text: str


def blocks() -> Iterator[Block]:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for indent, language, body in re.findall(
            r"^( *)```(.*?)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE
        ):
            lines = [line.removeprefix(indent) for line in body.splitlines(keepends=True)]
            yield Block(path.name, language.strip(), "".join(lines))


BLOCKS = list(blocks())


def commands(script: str) -> Iterator[list[str]]:
    """Yield each command of some lines for a shell, as its words.

    Where lines begin with a prompt, the others are what a command printed.
    """
    lines = script.replace("\\\n", " ").splitlines()
    prompted = [line for line in lines if line.startswith("$ ")]
    for line in prompted or lines:
        command: list[str] = []
        for word in [*shlex.split(line.removeprefix("$ "), comments=True), "&&"]:
            if word not in ("&&", "|"):
                command.append(word)
                continue
            # Where its output goes is no part of a command.
            if command:
                yield command[: command.index(">")] if ">" in command else command
            command = []


SHELL = [
    (block.page, command)
    for block in BLOCKS
    if block.language in ("console", "sh")
    for command in commands(block.text)
]


@pytest.fixture(scope="module")
def pytest_help() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def test_there_is_something_to_look_at() -> None:
    assert len(SHELL) > 40
    assert {"own_tests.md", "README.md"} <= {
        block.page for block in BLOCKS if block.language == "python"
    }


def test_every_option_of_ours_is_declared_and_on_its_page(pytest_help: str) -> None:
    assert sorted(re.findall(r"^  (--cc-[\w-]+)", pytest_help, re.MULTILINE)) == sorted(OPTIONS)
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page == reference_page.options(), "run: python docs/generated.py"


def test_pytest_takes_every_command_of_it(pytest_help: str) -> None:
    known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", pytest_help))
    seen = 0
    for page, (program, *words) in SHELL:
        if Path(program).name != "pytest":
            continue
        for word in words:
            name, equals, _ = word.partition("=")
            if not name.startswith("-"):
                continue
            seen += 1
            assert name in known, f"{page}: {word}"
            if name in OPTIONS:
                assert bool(equals) is bool(OPTIONS[name].metavar), f"{page}: {word}"
    assert seen > 20


def test_cc_harness_takes_every_command_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    parser = cli.parser(*(each.name for each in cli.COMMANDS))
    seen = 0
    for page, (program, *words) in SHELL:
        if Path(program).name != "cc-harness":
            continue
        seen += 1
        try:
            parser.parse_args(words)
        except SystemExit:
            pytest.fail(f"{page}: {words}: {capsys.readouterr().err}")
    assert seen > 15


def test_commands_within_a_sentence_exist() -> None:
    """They leave out what is not spoken of, so only what they name is looked for."""
    (commands,) = (
        action.choices
        for action in cli.parser(*(each.name for each in cli.COMMANDS))._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    seen = 0
    for path in PAGES:
        for text in re.findall(r"`cc-harness ([^`]+)`", path.read_text(encoding="utf-8")):
            name, *words = text.split()
            if name == "COMMAND" or name.startswith("-"):
                continue
            seen += 1
            taken = {option for each in commands[name]._actions for option in each.option_strings}
            named = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert named <= taken, f"{path.name}: cc-harness {text}"
    assert seen > 15


def test_every_other_program_is_one_that_we_know() -> None:
    programs = {Path(program).name for _, (program, *_) in SHELL}
    assert programs - {"pytest", "cc-harness"} <= OTHERS


def test_options_that_the_text_names_exist() -> None:
    """Those of ours alone: where a name stands without its command, nobody knows whose it is."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?<![\w-])--cc-[a-z-]*[a-z]", text))
        assert named <= set(OPTIONS), path.name


def test_every_file_that_is_shown_can_be_read() -> None:
    seen = set()
    for block in BLOCKS:
        seen.add(block.language)
        match block.language:
            case "json":
                # A part of an object is shown as what stands between its braces.
                whole = block.text.lstrip().startswith("{")
                json.loads(block.text if whole else f"{{{block.text}}}")
            case "toml":
                changes = tomllib.loads(block.text)
                jsonschema.validate(changes, read_json(schema_root() / CHANGES))
            case "yaml":
                yaml.safe_load(block.text)
            case "python":
                compile(block.text, block.page, "exec")
            case "console" | "sh":
                pass
            case other:
                assert other in SHOWN, f"{block.page}: {other}"
    assert {"json", "toml", "yaml", "python"} <= seen
