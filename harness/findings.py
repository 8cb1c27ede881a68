"""Values that all packages share: levels, impacts, verdicts, findings and outcomes of checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """The RFC 2119 level of a requirement, which decides whether its failure fails the run."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Verdict(StrEnum):
    """The result for one requirement after a run."""

    PASS = "pass"
    FAIL = "fail"
    #: A listed deviation, seen again.
    KNOWN = "known"
    #: A listed deviation that is gone: an error until the list is mended.
    FIXED = "fixed"
    NOT_EXERCISED = "not exercised"
    NOT_APPLICABLE = "not applicable"
    #: The harness failed; nothing is said about the subject.
    ERROR = "error"


class Impact(StrEnum):
    """What people lose where a promise is broken, the worst first."""

    PRIVACY = "privacy"
    LOSS = "loss of data"
    NUMBERS = "wrong numbers"
    SETUP = "broken set-up"
    INCONVENIENCE = "inconvenience"
    FORM = "form"

    @property
    def option(self) -> str:
        """Return the impact as a word of the command line: ``loss-of-data``."""
        return self.value.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class RunName:
    """The name of a run in which a finding was made.

    ``drawn``: it is one of many runs of its scenario, whose protocol and input were drawn.
    """

    scenario: str
    protocol: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in a capture that contradicts a requirement.

    ``where`` describes the place, e.g.
    ``http/json · metrics export 2 · claude_code.token.usage · point 3``. ``by_hand`` is a
    shell line that reproduces it, if the input is not a fixed one. ``runs`` are those that
    must be made to see it again. ``around`` are the attributes of the item that it is about.
    """

    expected: str
    seen: str
    where: str
    by_hand: str = ""
    runs: tuple[RunName, ...] = ()
    around: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome of a check that looked at ``looked_at`` (>= 1) things and made ``findings``."""

    looked_at: int
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.looked_at < 1:
            raise ValueError("a check that looked at nothing must answer NotExercised")


@dataclass(frozen=True, slots=True)
class NotExercised:
    """The outcome of a check that had nothing to look at; ``reason`` is shown to the user."""

    reason: str


Outcome = Judged | NotExercised
