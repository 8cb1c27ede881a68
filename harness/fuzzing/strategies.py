"""Hypothesis strategies for lists of pairs: well-formed, with a single quirk, or free text."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..env_lists.pairs import LONGEST, PROTOTYPE_KEYS, Quirk, read
from ..themes.canaries import CANARIES

#: HTTP's token characters but ``%``, which the sources read differently in a key.
KEY_CHARACTERS = string.ascii_letters + string.digits + "!#$&'*+.^_`|~-"
#: What a value may hold as it is: printable ASCII but quote, comma, semicolon, backslash;
#: ``%`` begins an escape, and ``=`` is disputed.
VALUE_CHARACTERS = "".join(
    character for character in map(chr, range(0x21, 0x7F)) if character not in '",;\\%='
)
#: Values that mean something elsewhere: in JSON, in a shell, to a careless reader.
_TELLING = ("", "0", "-1", "1e9", "true", "null", "None", "[1]", "{}", "%7B%22a%22%3A1%7D", "$HOME")

#: Escapes that a careless reader takes for something else: white space at an end, the
#: list's own signs, what another decoding would change.
_TRICKY = ("%20", "%2C", "%3D", "%3B", "%22", "%5C", "%25", "%2520", "%0A", "%C3%A9", "%2b")

CANARY = CANARIES["prompt"]

Pairs = Sequence[tuple[str, str]]


def keys(*, avoid: frozenset[str] = frozenset(), longest: int = 40) -> SearchStrategy[str]:
    """Draw keys that every source accepts, none of them in ``avoid`` (in lower case)."""
    return st.text(KEY_CHARACTERS, min_size=1, max_size=longest).filter(
        lambda key: key.lower() not in avoid
    )


def values(longest: int = 40) -> SearchStrategy[str]:
    """Draw values as they are written in the variable.

    They have plain and percent-encoded characters, of any script.
    """
    plain = st.sampled_from(VALUE_CHARACTERS)
    encoded = st.characters(codec="utf-8", exclude_characters="\0").map(_encoded)
    tricky = st.sampled_from(_TRICKY)
    mixed = st.lists(tricky | encoded | plain, max_size=longest).map("".join)
    return st.one_of(st.sampled_from(_TELLING), mixed, mixed)


def pairs(
    *, avoid: frozenset[str] = frozenset(), least: int = 0, most: int = 8, longest: int = 40
) -> SearchStrategy[Pairs]:
    """Draw pairs with distinct keys, as they are written in the variable."""
    return st.lists(
        st.tuples(keys(avoid=avoid, longest=longest), values(longest)),
        min_size=least,
        max_size=most,
        unique_by=_key,
    )


def well_formed(avoid: frozenset[str] = frozenset()) -> SearchStrategy[str]:
    """Draw lists that mean the same by every source; some are long or have hundreds of pairs."""
    usual = pairs(avoid=avoid, least=1)
    many = pairs(avoid=avoid, most=300, longest=8)
    long = pairs(avoid=avoid, most=3, longest=LONGEST)
    return st.one_of(usual, usual, usual, long, many).map(joined).filter(_plain)


def near_miss(quirk: Quirk, avoid: frozenset[str] = frozenset()) -> SearchStrategy[str]:
    """Draw lists with this one quirk, in one place, among well-formed pairs."""
    return _near_miss(quirk, pairs(avoid=avoid, least=1, most=3), keys(avoid=avoid), values(12))


def _near_miss(
    quirk: Quirk,
    around: SearchStrategy[Pairs],
    names: SearchStrategy[str],
    texts: SearchStrategy[str],
) -> SearchStrategy[str]:
    broken = st.tuples(names, texts).flatmap(lambda pair: _BROKEN[quirk](pair[0], pair[1]))

    def placed(others: Pairs, member: str, at: int) -> str:
        members = [f"{key}={value}" for key, value in others]
        members.insert(at % (len(members) + 1), member)
        return ",".join(members)

    lists = st.builds(placed, around, broken, st.integers(0, 8))
    return lists.filter(lambda text: read(text).quirks == {quirk})


def colliding(among: Collection[str], avoid: frozenset[str]) -> SearchStrategy[str]:
    """Draw lists with at least one key out of ``among``, in any position.

    The other keys are none of ``avoid``.
    """
    taken = st.sampled_from(sorted(among))
    collisions = st.lists(st.tuples(taken, values(12)), min_size=1, max_size=3, unique_by=_key)
    around = pairs(avoid=avoid, most=2)
    return (
        st.tuples(collisions, around)
        .flatmap(lambda both: st.permutations([*both[0], *both[1]]))
        .map(joined)
        .filter(_plain)
    )


def headers() -> SearchStrategy[str]:
    """Draw well-formed lists of headers that the variable may ask for and that can be sent."""
    return _header_lists().map(joined).filter(_plain)


def near_miss_header(quirk: Quirk) -> SearchStrategy[str]:
    """Draw lists of headers with this one quirk, in one place."""
    return _near_miss(quirk, _header_lists(), _header_names(), _header_values())


def prompts() -> SearchStrategy[str]:
    """Draw prompts of any text, each with the canary that the drawn scenario looks for."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200).map(
        prompt_with_canary
    )


def prompt_with_canary(text: str) -> str:
    """Return ``text`` as a prompt that is not a slash command and contains the canary."""
    return f"Go. {CANARY} {text}"


def anything() -> SearchStrategy[str]:
    """Draw any text that an environment can hold, preferring characters of the grammar."""
    meaningful = st.text(st.sampled_from('ab=,%;" \\\t2C0é\n'), max_size=30)
    return meaningful | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)


def _header_names() -> SearchStrategy[str]:
    # A prefix keeps out of the way of what belongs to HTTP and gRPC.
    return st.text(string.ascii_letters + string.digits + "-_.", max_size=12).map(
        lambda rest: f"x-{rest}0"
    )


def _header_values() -> SearchStrategy[str]:
    encoded = st.characters(min_codepoint=0x21, max_codepoint=0x7E).map(_encoded)
    plain = st.sampled_from(VALUE_CHARACTERS)
    return st.lists(plain, max_size=20).map("".join) | st.lists(plain | encoded, max_size=20).map(
        "".join
    )


def _header_lists() -> SearchStrategy[Pairs]:
    """Draw headers whose names differ in more than their case."""
    return st.lists(
        st.tuples(_header_names(), _header_values()),
        max_size=4,
        unique_by=lambda pair: pair[0].lower(),
    )


def _key(pair: tuple[str, str]) -> str:
    return pair[0]


def joined(listed: Pairs) -> str:
    return ",".join(f"{key}={value}" for key, value in listed)


def _encoded(character: str) -> str:
    return quote(character, safe="")


def _plain(text: str) -> bool:
    return not read(text).quirks


def _inserted(characters: str) -> Callable[[str, str], SearchStrategy[str]]:
    """Make a function that draws a member whose value has one of ``characters`` inside.

    It is never first or last, since space there is not part of the value.
    """

    def broken(key: str, value: str) -> SearchStrategy[str]:
        return st.sampled_from(characters).map(lambda odd: f"{key}=x{odd}{value}y")

    return broken


def _either(*members: str) -> SearchStrategy[str]:
    return st.sampled_from(members)


_BROKEN: Mapping[Quirk, Callable[[str, str], SearchStrategy[str]]] = {
    Quirk.EMPTY_MEMBER: lambda key, value: _either("", " "),
    Quirk.NO_EQUALS_SIGN: lambda key, value: _either(key),
    Quirk.EMPTY_KEY: lambda key, value: _either(f"={value}"),
    Quirk.EQUALS_IN_VALUE: lambda key, value: _either(
        f"{key}={value}=", f"{key}=={value}", f"{key}=x={value}"
    ),
    Quirk.SPACE_AROUND: lambda key, value: _either(
        f" {key}={value}", f"{key} =x{value}", f"{key}= x{value}", f"{key}={value}y ", f"{key}\t=x"
    ),
    Quirk.SPACE_IN_VALUE: _inserted(" \t"),
    Quirk.QUOTES: lambda key, value: _either(f'{key}="{value}"', f'{key}=x"{value}', f'{key}="'),
    Quirk.BACKSLASH: _inserted("\\"),
    Quirk.SEMICOLON: _inserted(";"),
    Quirk.CONTROL_CHARACTER: _inserted("\x01\x1f\x7f\n\r"),
    Quirk.NON_ASCII: _inserted("éß\u20ac\u4e2d\U0001f980"),
    Quirk.STRAY_PERCENT: lambda key, value: _either(
        f"{key}={value}%", f"{key}=%zz{value}", f"{key}=%4"
    ),
    Quirk.INVALID_UTF8: lambda key, value: _either(
        f"{key}=%ff{value}", f"{key}={value}%C3", f"{key}=%ED%A0%80"
    ),
    Quirk.KEY_NOT_A_TOKEN: lambda key, value: st.sampled_from("()<>@:/[]?{} é").map(
        lambda odd: f"a{odd}{key}={value}"
    ),
    Quirk.PERCENT_IN_KEY: lambda key, value: _either(f"{key}%20={value}", f"%41{key}={value}"),
    Quirk.TOO_LONG: lambda key, value: _either(
        f"{key}={'x' * LONGEST}{value}y", f"{'k' * LONGEST}{key}={value}"
    ),
    Quirk.DUPLICATE_KEY: lambda key, value: _either(f"{key}=1,{key}={value}"),
    Quirk.PROTOTYPE_KEY: lambda key, value: _either(
        *(f"{name}={value}" for name in PROTOTYPE_KEYS)
    ),
}
