"""What was found about one part of the machine, and how parts are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import HarnessError


class State(StrEnum):
    """Whether a part is there; if it is not, what is lost.

    Without a part that is ``LESS``, some sessions or releases are left out; ``ABSENT`` is what
    only a single command, or this project's own tests, would use.
    """

    OK = "ok"
    ABSENT = "absent"
    LESS = "less"
    STOPS = "stops"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the state and what was seen; and of what is not there, the rest.

    ``without`` says what cannot be exercised, ``change`` what to do about it.
    """

    state: State
    seen: str
    without: str = ""
    change: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the machine: its name, and what looks at it.

    ``needed``: no CLI can be judged if it cannot be looked at.
    """

    name: str
    look: Callable[[], Found]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A part with what was found about it."""

    name: str
    found: Found

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON's values."""
        found = self.found
        return {
            "part": self.name,
            "state": found.state.value,
            "seen": found.seen,
            "without": found.without or None,
            "change": found.change or None,
        }


def look(parts: Iterable[Part]) -> Iterator[Told]:
    """Look at each part; one that cannot be looked at is told as not there."""
    for part in parts:
        try:
            found = part.look()
        except (OSError, HarnessError, ImportError, ValueError) as error:
            state = State.STOPS if part.needed else State.LESS
            found = Found(state, f"it cannot be looked at: {error}", part.name, "see what was seen")
        yield Told(part.name, found)


def verdict(told: Sequence[Told]) -> tuple[bool, str]:
    """Say whether a CLI can be judged, and a sentence about it."""
    stopping = [each.name for each in told if each.found.state is State.STOPS]
    less = [each.name for each in told if each.found.state is State.LESS]
    if stopping:
        return False, f"cannot judge a CLI here, for want of: {', '.join(stopping)}"
    if less:
        return True, f"can judge a CLI here; with less than there could be: {', '.join(less)}"
    return True, "can judge a CLI here, with everything there is"


def lines(told: Told) -> Iterator[str]:
    """Render a part for a terminal."""
    found = told.found
    first, *more = found.seen.splitlines() or [""]
    yield f"{found.state.value:6} {told.name:18} {first}"
    for line in more:
        yield f"{'':25} {line}"
    if found.without:
        yield f"{'':25} without it: {found.without}"
    if found.change:
        yield f"{'':25} to change:  {found.change}"
