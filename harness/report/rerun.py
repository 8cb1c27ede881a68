"""The command that runs one requirement again, ready to be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def rerun(options: Sequence[str], requirement: str) -> str:
    """``options`` are those of the run that matter, e.g. ``("--cc-binary=npm:2.1.31",)``."""
    # The name itself, not -k: that would select every name that contains this one.
    return shlex.join(["pytest", *options, requirement])
