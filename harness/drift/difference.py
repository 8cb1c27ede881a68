"""One difference between two releases, and how much it matters to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Impact(StrEnum):
    """How much a difference matters, the worst first."""

    #: More of what is private comes out, or at more places.
    PRIVACY = "privacy"
    #: A dashboard, an alert or a rule that worked may not any more.
    BREAKING = "breaking"
    #: The same telemetry tells of something else, or a promise is kept or broken now.
    BEHAVIOURAL = "behavioural"
    #: There is more than before, and what was there is as it was.
    ADDITIVE = "additive"
    #: What nobody should depend on.
    INFORMATIONAL = "informational"


#: The impacts, the worst first.
WORST_FIRST = tuple(Impact)


@dataclass(frozen=True, slots=True)
class Mention:
    """What the changelog of the releases between says of a difference.

    ``lines`` are those that speak of it, each with its release. Without any, ``complete_to`` is
    the last release whose changelog is known, if that does not cover all of them.
    """

    lines: tuple[str, ...] = ()
    complete_to: str = ""

    def __str__(self) -> str:
        if self.lines:
            return "; ".join(self.lines)
        if self.complete_to:
            return f"not known: the changelog is known up to {self.complete_to}"
        return "not in the changelog"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what it is about, what was and what is, and why it has its impact.

    ``subject`` names the thing (``attribute query_source``, ``event at_mention``), ``of`` all
    that it is a part of and where the same difference was seen (``metric
    claude_code.cost.usage``, …). ``old`` and ``new`` are empty for what was not, or is no longer,
    there. ``changelog`` is None where nobody looked.
    """

    subject: str
    change: str
    old: str
    new: str
    impact: Impact
    reason: str
    of: tuple[str, ...] = ()
    changelog: Mention | None = None


def merged(differences: Iterable[Difference]) -> list[Difference]:
    """Return the differences, the worst first; what differs in several places alike is one."""
    places: dict[Difference, list[str]] = {}
    for each in differences:
        places.setdefault(replace(each, of=()), []).extend(each.of)
    return sorted(
        (replace(each, of=tuple(of)) for each, of in places.items()),
        key=lambda each: (WORST_FIRST.index(each.impact), each.subject, each.change, each.of),
    )


def listed(values: Sequence[Any]) -> str:
    """Return values as a reader lists them."""
    return ", ".join(_shown(value) for value in values)


def _shown(value: Any) -> str:
    return {True: "yes", False: "no", None: "unset", "": "(empty)"}.get(value, str(value))
