"""The command ``cc-harness completions``: print what completes our commands in a shell.

shtab makes a script of the parsers: with argcomplete, each key pressed for it would start Python.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import UsageError
from .common import OK

_SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")
#: How arguments are called that are folders.
_FOLDERS = frozenset({"DIR", "FOLDER"})


def declare_completions(command: argparse.ArgumentParser) -> None:
    """Declare the options of ``cc-harness completions``."""
    command.description = (
        "Print a script that completes commands and options. For bash: cc-harness completions bash "
        "> ~/.local/share/bash-completion/completions/cc-harness"
    )
    command.add_argument("shell", choices=_SHELLS, help="for which shell")
    command.set_defaults(run=_completions)


def _completions(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise UsageError(
            "completions",
            seen="no shtab",
            expected="the extra 'completions': pip install 'pytest-cc-otel[completions]'",
        ) from None
    from . import COMMANDS, parser

    if arguments.shell not in shtab.SUPPORTED_SHELLS:
        raise UsageError(
            f"SHELL {arguments.shell}",
            seen=f"shtab {shtab.__version__}, which knows {', '.join(shtab.SUPPORTED_SHELLS)}",
            expected="one of these, or a newer shtab",
        )
    whole = parser(*(each.name for each in COMMANDS))
    for each in _actions(whole):
        if each.type is Path:
            folder = each.metavar in _FOLDERS
            each.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]
    sys.stdout.write(shtab.complete(whole, arguments.shell))
    return OK


def _actions(whole: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options and arguments of all commands, and shorten what is told of these."""
    found: list[argparse.Action] = []
    for action in whole._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for told in action._choices_actions:
                command = action.choices[told.dest]
                # Beside its name, a shell has room for a line.
                command.description = told.help
                found += _actions(command)
    return found
