"""Two sides compared: what differs, whose queries it concerns, and whether that fails a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .accepted import Sorted
from .difference import Difference, Impact
from .impact import Hit

#: Which impacts fail a run, by what it was asked to fail on: that or worse.
FAILING: Mapping[str, frozenset[Impact]] = {
    "none": frozenset(),
    "privacy": frozenset({Impact.PRIVACY}),
    "breaking": frozenset({Impact.PRIVACY, Impact.BREAKING}),
    "any": frozenset(Impact),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between ``old`` and ``new``, which are the names of two sides.

    ``by`` is the release whose contract judged both, ``hits`` are the queries that are concerned
    (None: nobody handed any in), ``left_out`` says what was not compared, and ``problem`` why
    nothing could be. ``listed`` holds the differences that somebody's list accepts; they are not
    among the ``differences``. It is None without a list.
    """

    old: str
    new: str
    by: str = ""
    differences: tuple[Difference, ...] = ()
    hits: tuple[Hit, ...] | None = None
    fail_on: str = "none"
    left_out: tuple[str, ...] = ()
    problem: str = ""
    listed: Sorted | None = None

    @property
    def grave(self) -> tuple[Difference, ...]:
        """The differences that fail a run."""
        return tuple(each for each in self.differences if each.impact in FAILING[self.fail_on])

    @property
    def failure(self) -> str:
        """Why it fails a run, as part of a sentence; empty if it does not."""
        if self.fail_on == "none":
            return ""
        if self.problem:
            return "nothing was compared with the baseline"
        grave = len(self.grave)
        if not grave:
            return ""
        counted = f"{grave} difference{'s' * (grave > 1)}"
        if self.fail_on == "any":
            return f"{counted} from the baseline"
        worse = " or worse" if self.fail_on == "breaking" else ""
        return f"{counted} from the baseline {'is' if grave == 1 else 'are'} {self.fail_on}{worse}"
