"""What is looked for of a secret: the whole of it, any long enough part, and its common hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from ...capture.run import Secret
from .readings import SHORTEST, Form, Reading

_HASHES = ("md5", "sha1", "sha256", "sha512")
#: Of a long secret so much is looked for, at its beginning and at its end, in bytes.
_AN_END = 2048
#: Forms in which the bytes of a hash are written.
_OF_BYTES = frozenset({Form.HEX, Form.BASE64})


@dataclass(frozen=True, slots=True)
class Haystack:
    """Readings of many texts in one piece each: of all of them, and of what was bytes."""

    everything: bytes
    decoded: bytes

    @classmethod
    def of(cls, read: Collection[Reading]) -> Haystack:
        """Join these readings."""
        return cls(
            b"\n".join(text for _, text in read),
            b"\n".join(text for form, text in read if form in _OF_BYTES),
        )


@dataclass(frozen=True, slots=True)
class Needle:
    """One secret, prepared for the search.

    Every part of it that is long enough contains one of ``grams`` from end to end: where none of
    them is, no part is. ``hashes`` are the beginnings of its hashes, by the name of the hash.
    """

    secret: Secret
    text: bytes
    part: int
    grams: tuple[bytes, ...]
    hashes: tuple[tuple[str, bytes], ...]

    def may_be_in(self, haystack: Haystack) -> bool:
        """Say whether a part of the secret, or a hash of it, may be in what was read."""
        return any(gram in haystack.everything for gram in self.grams) or any(
            start in haystack.decoded for _, start in self.hashes
        )

    def found_in(self, reading: Reading) -> tuple[str, str] | None:
        """Return (form, what is shown) of the secret in one reading; None if it is not there."""
        form, read = reading
        if any(gram in read for gram in self.grams) and (shown := self._longest(read)):
            return str(form), shown.decode("utf-8", "replace")
        if form in _OF_BYTES:
            for name, start in self.hashes:
                if start in read:
                    return f"{name} in {form}", self.secret.text
        return None

    def _longest(self, read: bytes) -> bytes:
        """Return the first part of the secret that was read, as long as it goes; else nothing."""
        for start in range(len(self.text) - self.part + 1):
            end = start + self.part
            if self.text[start:end] in read:
                while end < len(self.text) and self.text[start : end + 1] in read:
                    end += 1
                return self.text[start:end]
        return b""


@lru_cache(maxsize=10_000)
def needle(secret: Secret) -> Needle:
    """Prepare a secret for the search."""
    whole = secret.text.encode("utf-8", "replace")
    text = whole if len(whole) <= 2 * _AN_END else whole[:_AN_END] + whole[-_AN_END:]
    part = min(secret.part or len(text), len(text))
    step = max(1, part // 2)
    length = part - step + 1
    if part == len(text):
        step, length = part, part
    return Needle(
        secret,
        text,
        part,
        tuple(text[at : at + length] for at in range(0, len(text) - length + 1, step)),
        tuple((name, hashlib.new(name, whole).digest()[:SHORTEST]) for name in _HASHES),
    )
