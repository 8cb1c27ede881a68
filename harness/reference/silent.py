"""The silent emitter: a subject that does nothing and exports nothing.

    python -m harness.reference.silent [--emulate VERSION] --version
    python -m harness.reference.silent [--emulate VERSION] -p PROMPT [flags]

No requirement may pass on it: what was not seen is not exercised.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .emitter import arguments, say_version


def main(argv: Sequence[str] | None = None) -> int:
    known = arguments(sys.argv[1:] if argv is None else argv)
    if known.version:
        say_version(known.emulate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
