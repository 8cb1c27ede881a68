"""Choose the releases of a matrix from what the command line names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ...contract.versions import Version
from ...errors import UsageError

_EXPECTED = "releases such as 2.1.31, ranges such as 2.1.31..2.1.50, or last:20"
_RELEASE = re.compile(r"\d+\.\d+\.\d+")

#: Names the published releases; called only if they are needed.
Published = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One release of a matrix, and what ``--cc-binary`` would say to run it."""

    version: str
    spec: str


def choose(names: Sequence[str], every: int, published: Published) -> list[Chosen]:
    """Return the releases that ``names`` stand for, the oldest first.

    A name is a release, ``A..B`` (all published ones from A to B), ``last:N`` (the newest N), or
    ``reference:VERSION``. Of the ranges, only each ``every``-th is taken, and both ends. Raises
    UsageError for what is none of these, names no release, or is there twice as two subjects.
    """
    if every < 1:
        raise UsageError("--every", seen=str(every), expected="1 or more")
    found = [each for name in names for each in _named(name, every, published)]
    by_version = sorted(set(found), key=lambda each: Version.parse(each.version))
    for version, group in groupby(by_version, key=lambda each: each.version):
        specs = [each.spec for each in group]
        if len(specs) > 1:
            raise UsageError(
                f"release {version}", seen=" and ".join(sorted(specs)), expected="one of them"
            )
    return by_version


def sharded(chosen: Sequence[Chosen], shard: str | None) -> list[Chosen]:
    """Return the releases of one shard, ``I/N``; None is all of them."""
    if shard is None:
        return list(chosen)
    match = re.fullmatch(r"(\d+)/(\d+)", shard)
    number, of = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= of:
        raise UsageError("--shard", seen=repr(shard), expected="I/N, from 1/N to N/N")
    return list(chosen[number - 1 :: of])


def _named(name: str, every: int, published: Published) -> Iterator[Chosen]:
    if name.startswith("reference:"):
        yield Chosen(_release(name.removeprefix("reference:"), name), name)
    elif name.startswith("last:"):
        yield from _every(_last(name, published), every)
    elif ".." in name:
        yield from _every(_between(name, published), every)
    else:
        version = _release(name.removeprefix("npm:"), name)
        yield Chosen(version, f"npm:{version}")


def _last(name: str, published: Published) -> list[str]:
    number = name.removeprefix("last:")
    if not number.isdecimal() or int(number) < 1:
        raise UsageError("VERSION", seen=repr(name), expected="last:N, with N of 1 or more")
    return sorted(published(), key=Version.parse)[-int(number) :]


def _between(name: str, published: Published) -> list[str]:
    first, _, last = name.partition("..")
    ends = [Version.parse(_release(end, name)) for end in (first, last)]
    if ends[0] > ends[1]:
        raise UsageError("VERSION", seen=repr(name), expected="the older release first")
    there = sorted(published(), key=Version.parse)
    found = [version for version in there if ends[0] <= Version.parse(version) <= ends[1]]
    if not found:
        raise UsageError(
            "VERSION",
            seen=f"{name!r}, and no release in it",
            expected=f"a range of published ones, {there[0]} to {there[-1]}",
        )
    return found


def _every(versions: Sequence[str], every: int) -> Iterator[Chosen]:
    taken = dict.fromkeys([*versions[::every], versions[-1]])
    yield from (Chosen(version, f"npm:{version}") for version in taken)


def _release(text: str, name: str) -> str:
    if not _RELEASE.fullmatch(text):
        raise UsageError("VERSION", seen=repr(name), expected=_EXPECTED)
    return text
