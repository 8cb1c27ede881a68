"""``cc-harness``: judge recordings and captures, compare releases, watch a collector, load one.

Each command is declared in a module of its own, which is imported when that command is called: so
none of them waits for what only others need.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import HarnessError, UsageError
from ..extras import require_suite
from ..keeping.signals import ending_in_order
from .common import FAILED as FAILED
from .common import OK as OK
from .common import USAGE as USAGE

_ABOUT = "Judge the telemetry of the claude CLI, and what becomes of it."


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, what it does, and the module that declares its options.

    The function for that is ``declare_NAME``. ``suite``: it needs the extra of that name.
    """

    name: str
    module: str
    help: str
    suite: bool = True

    def declare(self, command: argparse.ArgumentParser) -> None:
        """Declare the options on a parser; this imports what the command needs."""
        module = importlib.import_module(f".{self.module}", __name__)
        function: Callable[[argparse.ArgumentParser], None]
        function = getattr(module, f"declare_{self.name}")
        function(command)


COMMANDS = (
    Command("collector", "collector", "listen, and show what arrives as it comes", suite=False),
    Command("doctor", "doctor", "tell what this machine can and cannot exercise", suite=False),
    Command("requirements", "contract", "print the requirement catalogue"),
    Command("judge", "judge", "judge captures that --cc-captures kept"),
    Command("report", "judge", "render a record as a page, of any age, offline"),
    Command("inventory", "drift", "write down what a release sends"),
    Command("diff", "drift", "tell what differs between two releases"),
    Command("bisect", "drift", "find the release in which something changed"),
    Command(
        "check",
        "fleet",
        "judge captures of production data, as a Collector's file exporter writes them",
    ),
    Command("run", "run", "start any process, capture what it exports, and judge that"),
    Command("matrix", "matrix", "judge many releases, and tabulate what changed"),
    Command("schema", "contract", "print a schema, resolved for one release"),
    Command(
        "load", "load", "send many recorded sessions to a collector, and count what becomes of them"
    ),
    Command("completions", "completions", "print what completes all this in a shell"),
)


class _Version(argparse.Action):
    """Prints our own version: what knows it is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from ..record.header import tool_version

        sys.stdout.write(f"{tool_version()}\n")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 (a requirement fails) or 2 (a wrong call) as exit code.

    A command that a signal broke off ends with 128 and the number of the signal.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    called = next((word for word in words if not word.startswith("-")), "")
    try:
        if any(each.suite for each in COMMANDS if each.name == called):
            require_suite("cc-harness")
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    arguments = parser(called).parse_args(words)
    with ending_in_order():
        try:
            code: int = arguments.run(arguments)
        except HarnessError as error:
            sys.stderr.write(f"cc-harness: {error}\n")
            return USAGE
        except KeyboardInterrupt as error:
            name = str(error) or signal.SIGINT.name
            sys.stderr.write(f"cc-harness: broken off by {name}\n")
            # As a shell says of a command that a signal has ended.
            return 128 + signal.Signals[name]
    return code


def parser(*called: str) -> argparse.ArgumentParser:
    """Return the parser of all commands, with the options of those that are ``called``."""
    made = argparse.ArgumentParser(prog="cc-harness", description=_ABOUT)
    made.add_argument("--version", action=_Version, nargs=0, help="print our version, and end")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for each in COMMANDS:
        command = commands.add_parser(each.name, help=each.help)
        if each.name in called:
            each.declare(command)
    return made
