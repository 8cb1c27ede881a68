"""``cc-harness``: check that the packages which its commands need are installed, and run one."""

from __future__ import annotations

import os
import sys

from .errors import UsageError
from .extras import require_suite


def main() -> int:
    """Run the command that ``sys.argv`` names; return 2 if it cannot even be begun.

    That is so if the extra ``suite`` is missing, or the working directory.
    """
    try:
        _check_working_directory()
        require_suite("cc-harness")
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
