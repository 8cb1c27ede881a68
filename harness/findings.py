"""The values that every room may speak of: findings, outcomes, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """RFC 2119 level of a requirement; it decides the exit code, nothing else."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Verdict(StrEnum):
    """What is said of one requirement after a run."""

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


@dataclass(frozen=True, slots=True)
class RunName:
    """Name the run in which something was seen.

    ``drawn``: one of many of its scenario, whose protocol and input were drawn.
    """

    scenario: str
    protocol: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the subject does not do what a requirement says.

    ``where`` leads to the place in the capture, e.g.
    ``http/json · metrics export 2 · claude_code.token.usage · point 3``.  ``by_hand`` is a
    shell line that shows the same, where the input is not to be looked up.  ``runs`` are
    those that it takes to see it again.
    """

    expected: str
    seen: str
    where: str
    by_hand: str = ""
    runs: tuple[RunName, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A check looked at ``looked_at`` (>= 1) things and found ``findings``."""

    looked_at: int
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.looked_at < 1:
            raise ValueError("a check that looked at nothing must answer NotExercised")


@dataclass(frozen=True, slots=True)
class NotExercised:
    """A check found nothing to look at; ``reason`` is for a reader."""

    reason: str


Outcome = Judged | NotExercised
