"""Parse ``OTEL_RESOURCE_ATTRIBUTES`` and ``OTEL_EXPORTER_OTLP_HEADERS`` into pairs.

Both are lists ``key=value,key=value``. Several sources say what they mean, and disagree on odd
input: the CLI's own documents (which characters a value may hold, and that quotes are literal),
the W3C Baggage header format that the first of them follows (members, optional whitespace,
percent-encoding), and OpenTelemetry's specification (a malformed value should be discarded as a
whole). Each kind of odd input is a :class:`Quirk`. Input without one means the same by every
source.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes

#: How long a key or a value may be for OpenTelemetry's JavaScript implementation, in
#: characters; no specification sets a limit.
LONGEST = 255

#: What every object or function of JavaScript has by itself.
PROTOTYPE_KEYS = (
    *("__proto__", "constructor", "prototype", "hasOwnProperty", "isPrototypeOf"),
    *("propertyIsEnumerable", "toLocaleString", "toString", "valueOf", "__defineGetter__"),
    *("__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
)

_WHITESPACE = " \t"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class Quirk(StrEnum):
    """A kind of input on which the sources disagree, or which none allows."""

    EMPTY_MEMBER = "empty_member"
    NO_EQUALS_SIGN = "no_equals_sign"
    EMPTY_KEY = "empty_key"
    EQUALS_IN_VALUE = "equals_in_value"
    SPACE_AROUND = "space_around"
    SPACE_IN_VALUE = "space_in_value"
    QUOTES = "quotes"
    BACKSLASH = "backslash"
    SEMICOLON = "semicolon"
    CONTROL_CHARACTER = "control_character"
    NON_ASCII = "non_ascii"
    STRAY_PERCENT = "stray_percent"
    INVALID_UTF8 = "invalid_utf8"
    KEY_NOT_A_TOKEN = "key_not_a_token"
    PERCENT_IN_KEY = "percent_in_key"
    TOO_LONG = "too_long"
    DUPLICATE_KEY = "duplicate_key"
    #: A key like any other, but not to a careless program in JavaScript.
    PROTOTYPE_KEY = "prototype_key"


#: With these a member is not well-formed: by the documents, which forbid the characters,
#: or because it is no pair.
MALFORMED = frozenset(
    {
        Quirk.EMPTY_MEMBER,
        Quirk.NO_EQUALS_SIGN,
        Quirk.EMPTY_KEY,
        Quirk.SPACE_IN_VALUE,
        Quirk.BACKSLASH,
        Quirk.SEMICOLON,
        Quirk.CONTROL_CHARACTER,
        Quirk.NON_ASCII,
        Quirk.STRAY_PERCENT,
        Quirk.INVALID_UTF8,
        Quirk.KEY_NOT_A_TOKEN,
    }
)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a list.

    ``key`` is not decoded, as the W3C has it; ``value`` is, with U+FFFD for bytes that are not
    UTF-8.
    """

    raw: str
    key: str
    value: str
    quirks: frozenset[Quirk]

    @property
    def well_formed(self) -> bool:
        return not self.quirks & MALFORMED


@dataclass(frozen=True, slots=True)
class Reading:
    """The members that a text was parsed into."""

    members: tuple[Member, ...]

    @property
    def attributes(self) -> Mapping[str, str]:
        """The well-formed pairs; of a repeated key, the last one."""
        return {member.key: member.value for member in self.members if member.well_formed}

    @property
    def quirks(self) -> frozenset[Quirk]:
        """Every kind of odd input that the text holds."""
        quirks = {quirk for member in self.members for quirk in member.quirks}
        keys = Counter(member.key for member in self.members if member.key)
        if any(times > 1 for times in keys.values()):
            quirks.add(Quirk.DUPLICATE_KEY)
        return frozenset(quirks)

    @property
    def well_formed(self) -> bool:
        """Whether every member of the text is a well-formed pair."""
        return all(member.well_formed for member in self.members)


def read(text: str) -> Reading:
    """Parse a list of pairs; blank text has none, like an unset variable."""
    if not text.strip(_WHITESPACE):
        return Reading(())
    return Reading(tuple(map(_member, text.split(","))))


def decode(value: str) -> tuple[str, frozenset[Quirk]]:
    """Decode a percent-encoded value once; return it, and the quirks of its encoding."""
    quirks = set()
    if "%" in _ESCAPE.sub("", value):
        quirks.add(Quirk.STRAY_PERCENT)
    # What is outside of ASCII stands for itself, whatever is thought of it.
    content = b"".join(
        unquote_to_bytes(part) if part.isascii() else part.encode("utf-8", "surrogatepass")
        for part in re.split(r"([^\x00-\x7f]+)", value)
    )
    try:
        return content.decode("utf-8"), frozenset(quirks)
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace"), frozenset({*quirks, Quirk.INVALID_UTF8})


def _member(raw: str) -> Member:
    key, equals, value = raw.partition("=")
    stripped_key, stripped = key.strip(_WHITESPACE), value.strip(_WHITESPACE)
    decoded, quirks = decode(stripped)
    return Member(
        raw,
        stripped_key,
        decoded,
        quirks | frozenset(_quirks(raw, (key, equals, value), (stripped_key, stripped, decoded))),
    )


def _quirks(
    raw: str, parts: tuple[str, str, str], stripped: tuple[str, str, str]
) -> Iterator[Quirk]:
    if not raw.strip(_WHITESPACE):
        yield Quirk.EMPTY_MEMBER
        return
    key, equals, value = parts
    bare_key, bare, decoded = stripped
    if not equals:
        yield Quirk.NO_EQUALS_SIGN
        return
    if (key, value) != (bare_key, bare):
        yield Quirk.SPACE_AROUND
    if not bare_key:
        yield Quirk.EMPTY_KEY
    elif not _TOKEN.fullmatch(bare_key):
        yield Quirk.KEY_NOT_A_TOKEN
    elif "%" in bare_key:
        yield Quirk.PERCENT_IN_KEY
    if bare_key in PROTOTYPE_KEYS:
        yield Quirk.PROTOTYPE_KEY
    odd = {"=": Quirk.EQUALS_IN_VALUE, '"': Quirk.QUOTES, "\\": Quirk.BACKSLASH}
    odd |= {";": Quirk.SEMICOLON, " ": Quirk.SPACE_IN_VALUE, "\t": Quirk.SPACE_IN_VALUE}
    for character in set(bare):
        if character in odd:
            yield odd[character]
        elif character < "!" or character == "\x7f":
            yield Quirk.CONTROL_CHARACTER
        elif character > "~":
            yield Quirk.NON_ASCII
    if len(bare_key) > LONGEST or len(decoded) > LONGEST:
        yield Quirk.TOO_LONG
