"""Run the conforming emitter with what every theme adds to it.

    python -m harness.themes.emitter [--emulate VERSION] [flags]

:mod:`harness.reference.emitter` says which flags it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..reference import emitter
from ..reference.additions import Addition
from .folders import modules


def emitted() -> list[Addition]:
    """Return what the themes add to the emitter: ``EMITTED`` of each ``emitted.py``."""
    return [addition for module in modules("emitted") for addition in module.EMITTED]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the emitter; return its exit code."""
    return emitter.main(argv, emitted)


if __name__ == "__main__":
    sys.exit(main())
