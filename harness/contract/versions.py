"""Versions of the CLI, and the half-open ranges of them in which a promise holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from ..errors import UsageError

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:[-+].*)?\Z")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The ``MAJOR.MINOR.PATCH`` of a CLI release; a suffix after ``-`` or ``+`` is dropped."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a version; raise :class:`ValueError` for anything else."""
        match = _VERSION.match(text.strip())
        if match is None:
            raise ValueError(f"not a version of the form 2.1.31: {text!r}")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A range of versions: ``since`` is the first inside, ``until`` the first after it."""

    since: Version | None = None
    until: Version | None = None

    @classmethod
    def of(cls, data: dict[str, object]) -> Self:
        """Make a range from an object with optional ``since`` and ``until`` strings."""
        since, until = data.get("since"), data.get("until")
        made = cls(
            Version.parse(str(since)) if since is not None else None,
            Version.parse(str(until)) if until is not None else None,
        )
        if made.since is not None and made.until is not None and made.since >= made.until:
            raise ValueError(f"an empty version range: since {since}, until {until}")
        return made

    def measured(self, data: Mapping[str, object] | None) -> VersionRange:
        """Return the range from where it was measured to begin: ``since`` of ``data``, if any.

        Raises :class:`ValueError` for an edge that is not before the documented one.
        """
        if data is None:
            return self
        edge = Version.parse(str(data["since"]))
        if self.since is None or edge >= self.since:
            raise ValueError(f"measured from {edge}, documented {self}: expected an earlier one")
        return replace(self, since=edge)

    def __contains__(self, version: Version) -> bool:
        return (self.since is None or self.since <= version) and (
            self.until is None or version < self.until
        )

    def __str__(self) -> str:
        if self.since is None and self.until is None:
            return "all versions"
        if self.until is None:
            return f"from {self.since}"
        if self.since is None:
            return f"before {self.until}"
        return f"from {self.since}, before {self.until}"


#: The release that the earliest of our documents describes: nothing was promised of older ones.
OLDEST_PROMISED = Version(2, 1, 31)


def check_promised(version: str, change: str) -> None:
    """Raise UsageError for a release that is older than every document: no verdict would be fair.

    ``change`` names what chose it.
    """
    if Version.parse(version) < OLDEST_PROMISED:
        raise UsageError(
            change,
            seen=f"claude {version}",
            expected=f"a release from {OLDEST_PROMISED} on: no document of ours speaks of older "
            "ones, so nothing they do is a broken promise (cc-harness diff tells what they send)",
        )
