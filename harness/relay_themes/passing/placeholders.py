"""What stands in an expected item for a value that only what came out can tell.

A declaration may leave open what comes out: some digest, any value, a number written as text. A
placeholder is such a value; it agrees with those that keep the declaration.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeVar

from ...otlp.model import Attributes, Value

#: A shorter text may be part of its own digest by chance.
_TELLING = 4


class Placeholder(str):
    """Stands for a value; as a text, it tells in words for which."""

    __slots__ = ("original",)

    original: Value

    def agrees(self, value: Value) -> bool:
        """Return whether ``value`` may stand here."""
        raise NotImplementedError


class Anything(Placeholder):
    """Stands for any value that a declaration adds."""

    __slots__ = ()

    def agrees(self, value: Value) -> bool:
        return True


class Digest(Placeholder):
    """Stands for a digest of ``original``: it differs from it, and does not contain it.

    ``taken`` are the digests of other values.
    """

    __slots__ = ("taken",)

    taken: Collection[Value]

    def agrees(self, value: Value) -> bool:
        if not isinstance(value, str | bytes | int) or not value or value in self.taken:
            return False
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        original = str(self.original)
        if len(original) < _TELLING:
            return text != original
        return original not in text


class Written(Placeholder):
    """Stands for ``original`` written as a text: ``5``, ``5.0`` and ``5e0`` are one number."""

    __slots__ = ()

    def agrees(self, value: Value) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(self.original, bool):
            return value.lower() == str(self.original).lower()
        if isinstance(self.original, int | float):
            try:
                return float(value) == float(self.original) or value == str(self.original)
            except ValueError:
                return False
        try:
            return bool(json.loads(value) == plain(self.original))
        except (ValueError, RecursionError):
            return False


P = TypeVar("P", bound=Placeholder)


def anything() -> Anything:
    """Return what stands for any value."""
    return _made(Anything("any value, as declared"), None)


def digest(original: Value) -> Digest:
    """Return what stands for a digest of ``original``."""
    made = _made(Digest(f"a digest of {original!r}, as declared"), original)
    made.taken = ()
    return made


def written(original: Value) -> Written:
    """Return what stands for ``original`` as a text."""
    return _made(Written(f"{plain(original)!r} as a text, as declared"), original)


def plain(value: Value) -> Any:
    """Convert a value to JSON."""
    if isinstance(value, Attributes):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    return value.hex() if isinstance(value, bytes) else value


def _made(stand_in: P, original: Value) -> P:
    stand_in.original = original
    return stand_in
