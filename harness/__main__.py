"""``cc-harness``: check that the packages which its commands need are installed, and run one."""

from __future__ import annotations

import sys

from harness.errors import UsageError
from harness.extras import require_suite


def main() -> int:
    """Run the command that ``sys.argv`` names; return 2 if the extra ``suite`` is missing."""
    try:
        require_suite("cc-harness")
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from harness import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
