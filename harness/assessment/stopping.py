"""Decide when enough has failed that nothing more need be recorded (``-x``, ``--maxfail``)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..capture.capture import Capture
from ..contract.requirement import Requirement
from ..errors import SubjectError
from ..findings import Impact, Level
from ..record.summary import STOPPED


@dataclass
class Stopping:
    """What is asked after each run; ``most`` failures are enough.

    ``breaks`` names what a capture breaks by itself among ``failing``, the requirements that fail
    the run. What only several captures together show, or nobody shows, is not waited for.
    """

    most: int
    breaks: Callable[[Capture, Collection[Requirement]], Collection[str]]
    failing: Collection[Requirement]
    _broken: set[str] = field(default_factory=set)
    _undriven: int = 0

    def __call__(self, ended: Capture | SubjectError) -> str:
        if isinstance(ended, SubjectError):
            self._undriven += 1
            seen = "a run could not be driven to its end"
        else:
            broken = self.breaks(ended, self.failing)
            self._broken |= {*broken}
            seen = f"{ended.run.label} breaks {', '.join(sorted(broken)[:1])}"
        enough = len(self._broken) + self._undriven >= self.most
        return f"{STOPPED}{seen}" if enough else ""


def failing(
    requirements: Collection[Requirement], fail_on: Collection[Impact]
) -> tuple[Requirement, ...]:
    """Return those of the requirements that fail the run where they are broken."""
    return tuple(
        each for each in requirements if each.level is Level.MUST or each.impact in fail_on
    )
