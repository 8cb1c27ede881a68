"""Tell what the CLI's public changelog says of a difference, as ``schemas/changelog.json`` has it.

An entry speaks of a difference by its name, by what it is a part of, by how it differs and by its
values, and only where the release that brought it lies between the two that are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from ..contract.files import read_json, schema_root
from ..contract.versions import Version
from .difference import Difference, Mention


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the changelog: its release, what it says, and what it is about.

    ``measured`` is the release that really brought it, where the line stands at another one.
    """

    release: Version
    says: str
    about: Sequence[Mapping[str, Any]]
    measured: Version | None = None

    @property
    def brought_by(self) -> Version:
        """The release with which it came."""
        return self.measured or self.release

    def __str__(self) -> str:
        measured = f" (Measured: since {self.measured}.)" if self.measured else ""
        return f"{self.release}: {self.says}{measured}"

    def speaks_of(self, difference: Difference) -> bool:
        """Say whether it is about this difference."""
        return any(_matches(pattern, difference) for pattern in self.about)


@dataclass(frozen=True, slots=True)
class Changelog:
    """The lines about telemetry; of releases after ``complete_to``, only some are known."""

    complete_to: Version
    entries: Sequence[Entry]

    def mention(self, difference: Difference, old: Version, new: Version) -> Mention:
        """Return what it says of a difference between two releases, in whichever order."""
        first, last = sorted((old, new))
        lines = tuple(
            str(entry)
            for entry in self.entries
            if first < entry.brought_by <= last and entry.speaks_of(difference)
        )
        covered = last <= self.complete_to
        return Mention(lines, "" if lines or covered else str(self.complete_to))


@cache
def known() -> Changelog:
    """Return the changelog as far as it is known."""
    plain = read_json(schema_root() / "changelog.json")
    return Changelog(
        Version.parse(plain["complete_to"]),
        [
            Entry(
                Version.parse(each["release"]),
                each["says"],
                each["about"],
                Version.parse(each["measured"]) if "measured" in each else None,
            )
            for each in plain["entries"]
        ],
    )


def annotated(found: Iterable[Difference], old: str, new: str) -> list[Difference]:
    """Return the differences between two releases, each with what the changelog says of it."""
    before, after = Version.parse(old), Version.parse(new)
    return [replace(each, changelog=known().mention(each, before, after)) for each in found]


def _matches(pattern: Mapping[str, Any], difference: Difference) -> bool:
    return (
        fnmatchcase(difference.subject, pattern["subject"])
        and _any_matches(pattern.get("of"), difference.of)
        and ("change" not in pattern or difference.change in pattern["change"])
        and _any_matches(pattern.get("value"), (difference.old, difference.new))
    )


def _any_matches(pattern: str | None, texts: Iterable[str]) -> bool:
    return pattern is None or any(fnmatchcase(text, pattern) for text in texts)
