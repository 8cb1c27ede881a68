"""Read a text in every way in which something may be hidden in it.

What was exported is decoded, rather than each secret encoded: so it does not matter at which
place a secret begins, how much of it is there, or which of its characters were escaped.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote_to_bytes

#: The shortest part of a secret that is looked for, in bytes: nothing shorter is decoded.
SHORTEST = 8

_ESCAPE = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|\\x[0-9a-fA-F]{2}|\\.", re.DOTALL)
_CONTROL = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_PERCENT = re.compile(rb"%[0-9a-fA-F]{2}")
_HEX = re.compile(rb"[0-9a-fA-F]{%d,}" % (2 * SHORTEST))
_BASE64 = re.compile(rb"[0-9A-Za-z+/_-]{%d,}" % -(-SHORTEST * 4 // 3))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")

#: How often escapes are undone: an attribute of a body of JSON may be JSON with JSON in it.
_NESTED = 3

#: In a text that is longer than this, one character repeated so often is filler.
_LONG = 50_000
_GROUPS = 48
_FILLER = re.compile(rb"(.)\1{%d,}" % (2 * _GROUPS), re.DOTALL)

#: Texts are repeated from export to export and from run to run.
_KEPT = 20_000


class Form(StrEnum):
    """How a text was written where it was found."""

    RAW = "raw"
    UTF_16 = "utf-16"
    ESCAPED = "escaped"
    PERCENT = "percent"
    HEX = "hex"
    BASE64 = "base64"


Reading = tuple[Form, bytes]


@lru_cache(maxsize=_KEPT)
def readings(text: bytes) -> tuple[Reading, ...]:
    """Return everything that ``text`` may stand for, itself first, each bytes once."""
    if len(text) > _LONG:
        text = _FILLER.sub(_shorter, text)
    found: dict[bytes, Form] = {}
    for form, plain in _plain(text):
        found.setdefault(plain, form)
    for plain in tuple(found):
        for form, decoded in (*_from_hex(plain), *_from_base64(plain)):
            found.setdefault(decoded, form)
            if b"\0" in decoded:
                found.setdefault(_narrow(decoded), form)
    return tuple((form, read) for read, form in found.items())


def _shorter(filler: re.Match[bytes]) -> bytes:
    """Return less of the same, so that what follows keeps its place in groups of base64."""
    return filler[0][: _GROUPS + len(filler[0]) % _GROUPS]


def _plain(text: bytes) -> Iterator[Reading]:
    """Yield the text, and what it says once its escapes and percent-encoding are undone."""
    form, read = Form.RAW, text
    for _ in range(1 + _NESTED):
        yield form, read
        if b"%" in read and _PERCENT.search(read):
            yield Form.PERCENT, unquote_to_bytes(read)
        if b"\0" in read:
            yield Form.UTF_16 if form is Form.RAW else form, _narrow(read)
        if b"\\" not in read:
            return
        form, read = Form.ESCAPED, _unescaped(read)


def _narrow(wide: bytes) -> bytes:
    """Return the text without the zeros that UTF-16, in either order, puts between letters."""
    return wide.translate(None, b"\0")


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(_character, text)


def _character(match: re.Match[bytes]) -> bytes:
    """Return what one escape, or a run of escaped UTF-16 code units, stands for."""
    escape = match[0]
    if len(escape) == 2:
        return _CONTROL.get(escape[1:], escape[1:])
    if escape[1:2] == b"x":
        return bytes.fromhex(escape[2:].decode())
    units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
    return units.decode("utf-16-be", "replace").encode()


def _from_hex(text: bytes) -> Iterator[Reading]:
    """Decode every run of hexadecimal digits, from its first digit and from its second."""
    for run in _HEX.findall(text):
        for start in range(2):
            digits = run[start : len(run) - (len(run) - start) % 2]
            yield Form.HEX, binascii.unhexlify(digits)


def _from_base64(text: bytes) -> Iterator[Reading]:
    """Decode every run of base64, of either alphabet, from each of its first four characters."""
    for run in _BASE64.findall(text):
        standard = run.translate(_URL_SAFE)
        for start in range(4):
            begun = standard[start:]
            yield Form.BASE64, _decode(begun + b"A" * (-len(begun) % 4))


_decode: Callable[[bytes], bytes] = binascii.a2b_base64
