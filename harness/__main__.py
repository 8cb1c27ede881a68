"""``cc-harness``: run one of its commands."""

from __future__ import annotations

import os
import sys

from .errors import UsageError


def main() -> int:
    """Run the command that ``sys.argv`` names; return 2 if the working directory is missing."""
    try:
        _check_working_directory()
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from . import cli

    return cli.main()


def _check_working_directory() -> None:
    """Raise UsageError if it was deleted: what our commands import asks for it."""
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(
            "the working directory", seen=str(error), expected="a folder that still exists"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
