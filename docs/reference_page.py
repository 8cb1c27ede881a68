"""Render what the code and the schemas declare: the pages of options, commands and fixtures."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path

import harness
from harness import cli, plugin

_FIXTURES = Path(plugin.__file__).parent / "fixtures.py"

_WRITTEN = "Written by `python docs/generated.py` of {source}; change that, not this page."


@dataclass(frozen=True, slots=True)
class Option:
    """An option of pytest that the plugin declares."""

    name: str
    metavar: str
    text: str

    @property
    def usage(self) -> str:
        """The option as it is written on a command line."""
        return f"{self.name}={self.metavar}" if self.metavar else self.name


@dataclass
class Declared:
    """Stands in for pytest's parser: keeps what the plugin declares, by the title of its group."""

    groups: dict[str, list[Option]] = field(default_factory=dict)
    _group: str = ""

    def getgroup(self, name: str, description: str = "") -> Declared:
        """Return a group of options, which keeps them here."""
        return Declared(self.groups, description or name)

    def addoption(self, name: str, *, metavar: str = "", help: str = "", **_: object) -> None:  # noqa: A002 - as pytest calls it
        """Keep an option."""
        self.groups.setdefault(self._group, []).append(Option(name, metavar, help))


def declared() -> dict[str, list[Option]]:
    """Return every option that the plugin declares, by group."""
    parser = Declared()
    plugin.pytest_addoption(parser)  # type: ignore[arg-type]  # as much of a parser as it asks for
    return parser.groups


def options() -> str:
    """Return the page of the options of pytest."""
    return "\n".join(_options()) + "\n"


def _options() -> Iterator[str]:
    yield "# Options of pytest"
    yield ""
    yield _WRITTEN.format(source="the options that the plugin declares (`pytest --help`)")
    yield ""
    yield (
        "Without `--cc-binary`, `--cc-collector`, `--cc-collector-cmd` or `--cc-recording`, "
        "nothing is judged, and the plugin brings its [fixtures](fixtures.md) only. pytest's own "
        "options work as ever: `-k` and names select promises, `-v` shows all there is to say, "
        "`-n 2` shares the work (pytest-xdist). How much input is drawn is said by Hypothesis' "
        "`--hypothesis-profile=NAME` (`quick`, `ci`, `deep`) and, to draw the same again, by "
        "`--hypothesis-seed=SEED`, which a report names."
    )
    for title, members in declared().items():
        yield ""
        yield f"## {title[:1].upper()}{title[1:]}"
        yield ""
        yield "| option | meaning |"
        yield "| --- | --- |"
        for option in members:
            yield f"| `{_cell(option.usage)}` | {_prose(option.text)} |"


def commands() -> str:
    """Return the page of the commands of ``cc-harness``."""
    return "\n".join(_commands()) + "\n"


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield _WRITTEN.format(source="the parser of `cc-harness` (`cc-harness COMMAND --help`)")
    yield ""
    yield (
        "`cc-harness` comes with the extra `suite`; `collector` and `doctor` work without it. "
        "Its exit code is 0 if all is well, 1 if what it judged or compared is not, and 2 if it "
        "was asked for something impossible. [`cc-harness` at a shell](cc_harness.md) is about "
        "those that help a person with a set-up of their own."
    )
    parser = cli.parser(*(each.name for each in cli.COMMANDS))
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        about = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, command in action.choices.items():
            yield ""
            yield f"## cc-harness {name}"
            yield ""
            yield f"{_sentence(about.get(name, ''))}"
            yield ""
            yield "| argument | meaning |"
            yield "| --- | --- |"
            for each in command._actions:
                if each.help != argparse.SUPPRESS and "--help" not in each.option_strings:
                    yield f"| `{_cell(_usage(each))}` | {_prose(_meaning(each))} |"


def _usage(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None:
        metavar = "|".join(str(choice) for choice in action.choices)
    if not action.option_strings:
        return metavar + ("…" if action.nargs in ("*", "+") else "")
    named = ", ".join(action.option_strings)
    return named if action.nargs == 0 else f"{named} {metavar}"


def _meaning(action: argparse.Action) -> str:
    needed = " (needed)" if action.required and action.option_strings else ""
    return f"{(action.help or '') % {**vars(action), 'prog': 'cc-harness'}}{needed}"


def fixtures() -> str:
    """Return the page of the fixtures, and of what tests may import."""
    return "\n".join(_fixtures()) + "\n"


def _fixtures() -> Iterator[str]:
    yield "# Fixtures and public names"
    yield ""
    yield _WRITTEN.format(source="the docstrings of the plugin's fixtures and of `pytest_cc_otel`")
    yield ""
    yield (
        "[In your own tests](own_tests.md) shows them at work, and [the recipes](recipes.md) do. "
        "What is not on this page is private, whatever its name."
    )
    yield ""
    yield "## Fixtures"
    tree = ast.parse(_FIXTURES.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in plugin.__all__:
            yield ""
            yield f"### {node.name}"
            yield ""
            yield _text(ast.get_docstring(node) or "")
    yield ""
    yield "## Public names"
    yield ""
    yield "Each is imported from `pytest_cc_otel`."
    for name in harness.__all__:
        public = getattr(harness, name)
        yield ""
        yield f"### {name}"
        yield ""
        yield _text(inspect.cleandoc(vars(public).get("__doc__") or ""))
        yield from _members(public)


def _members(public: type) -> Iterator[str]:
    """Yield a line for each public method and property of a class."""
    rows = []
    for name, value in vars(public).items():
        function = getattr(value, "func", getattr(value, "fget", value))
        if not inspect.isfunction(function) or not function.__doc__:
            continue
        if name == "__call__" or not name.startswith("_"):
            shown = _call(name, function) if function is value else name
            first = inspect.cleandoc(function.__doc__).split("\n\n")[0]
            rows.append(f"| `{_cell(shown)}` | {_prose(_text(first))} |")
    if is_dataclass(public):
        taken = ", ".join(f"`{each}`" for each in inspect.signature(public).parameters)
        if taken:
            yield ""
            yield f"Fields: {taken}."
    if rows:
        yield ""
        yield "| member | what it does |"
        yield "| --- | --- |"
        yield from rows


def _call(name: str, function: Callable[..., object]) -> str:
    """Return how a method is called, without types."""
    parameters = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in inspect.signature(function).parameters.values()
        if each.name != "self"
    ]
    shown = inspect.Signature(parameters)
    return f"{'' if name == '__call__' else name}{shown}"


def _text(docstring: str) -> str:
    """Return a docstring, written for Python, as Markdown."""
    text = re.sub(r":\w+:`~?(?:harness\.)?([^`]+)`", r"`\1`", docstring)
    return text.replace("``", "`").replace("  ", " ")


def _prose(text: str) -> str:
    """Return a text as it may stand in a cell; what stands between backquotes stays as it is."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        parts[index] = parts[index].replace("*", "\\*").replace("<", "\\<")
    return _cell(" ".join("`".join(parts).split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
