"""What came of a capture: the rows of each release in it, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..judging.decision import NOTHING_EXERCISED, Decision, decision
from ..judging.verdicts import Row, exercised, fails_the_run
from ..otlp.model import Signal
from .files import Broken


@dataclass(frozen=True, slots=True)
class ReleaseRows:
    """The rows of one release, by its own contract.

    ``items`` counts its items by signal, ``broken`` the findings of each requirement that has
    more than its row holds. ``note`` says what its contract is worth, if it is worth less.
    """

    version: str
    rows: tuple[Row, ...]
    items: Mapping[Signal, int]
    broken: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a capture.

    ``broken`` are the first of ``number_broken`` messages that could not be read. ``unreleased``
    counts items of the CLI that name no release, by what they name instead; they are not judged.
    ``foreign`` counts items of other programs, by their scope; they are nobody's business here.
    ``environment`` is what was declared of the sessions. ``forgotten`` sessions were more than
    are remembered at once: their events are judged as if they had ended then.
    """

    files: tuple[str, ...]
    messages: int
    releases: tuple[ReleaseRows, ...]
    broken: Sequence[Broken] = ()
    number_broken: int = 0
    unreleased: Mapping[str, int] = field(default_factory=dict)
    foreign: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def unjudged(self) -> str:
        """What of the capture could not be judged, or that nothing was; empty if all was."""
        reasons = []
        if not any(exercised(row) for release in self.releases for row in release.rows):
            reasons.append(NOTHING_EXERCISED)
        if self.number_broken:
            reasons.append(f"{self.number_broken} {_times(self.number_broken)} not be read")
        if number := sum(self.unreleased.values()):
            reasons.append(f"{number} items of the CLI name no release, and were not judged")
        return "; ".join(reasons)

    @property
    def decision(self) -> Decision:
        """Whether the check failed, and why: what could not be judged fails it, too."""
        rows = [row for release in self.releases for row in release.rows]
        failing = sum(map(fails_the_run, rows))
        reasons = [self.unjudged] if self.unjudged else []
        if failing:
            reasons.insert(0, f"{failing} of {len(rows)} requirements fail the run")
        return Decision(True, "; ".join(reasons)) if reasons else decision(rows)


def _times(number: int) -> str:
    return "message could" if number == 1 else "messages could"
