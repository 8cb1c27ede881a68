"""What several commands share: exit codes, a line on the screen, a release that was named."""

from __future__ import annotations

import sys

from ..contract.versions import Version
from ..errors import UsageError

OK, FAILED, USAGE = 0, 1, 2


def print_line(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def release_of(option: str, text: str | None) -> str | None:
    """Return the release that an option names; None without one. Raises UsageError."""
    if text is None:
        return None
    try:
        return str(Version.parse(text))
    except ValueError:
        raise UsageError(option, seen=repr(text), expected="a release such as 2.1.31") from None
