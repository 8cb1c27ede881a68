"""List the parts of a machine that are looked at, in the order in which they are told."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from ..extras import SUITE
from . import machine, packages, programs
from .probe import Part


def parts(*, offline: bool) -> Iterator[Part]:
    """Yield all parts; ``offline``: none of them asks another machine."""
    yield from packages.parts(SUITE)
    yield from machine.parts()
    yield from programs.parts()
    if all(importlib.util.find_spec(name) is not None for name in SUITE):
        # What looks at subjects is made of packages of the extra.
        from . import subjects

        yield from subjects.parts(offline=offline)
