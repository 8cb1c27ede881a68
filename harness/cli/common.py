"""What several commands share: exit codes, a line on the screen, a release that was named."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ..contract.versions import Version
from ..errors import UsageError

OK, FAILED, USAGE = 0, 1, 2


def print_line(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print_line(json.dumps(value, indent=1, ensure_ascii=False))


def add_json(command: argparse.ArgumentParser) -> None:
    """Declare the option ``--json``."""
    command.add_argument("--json", action="store_true", help="print it as JSON, for programs")


def add_json_format(command: argparse.ArgumentParser) -> None:
    """Declare the option ``--json`` beside ``--format``, which was there before."""
    command.add_argument(
        "--json",
        dest="format",
        action="store_const",
        const="json",
        default=argparse.SUPPRESS,
        help="the same as --format json",
    )


def release_of(option: str, text: str | None) -> str | None:
    """Return the release that an option names; None without one. Raises UsageError."""
    if text is None:
        return None
    try:
        return str(Version.parse(text))
    except ValueError:
        raise UsageError(option, seen=repr(text), expected="a release such as 2.1.31") from None
