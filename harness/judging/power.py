"""What the promises that a run kept would have said to a liar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why a promise that was kept does not prove all that it could."""

    #: Every lie that was told about it passed.
    BLIND = "every lie was missed"
    PARTLY = "some lies were missed"
    #: The run gives no occasion to tell one.
    UNTOLD = "no lie can be told about this run"
    #: A listed deviation would excuse what a lie breaks.
    EXCUSED = "a listed deviation excuses what a lie breaks"


@dataclass(frozen=True, slots=True)
class Exempt:
    """A promise that was kept, and of which some or all lies would not have failed it.

    ``reason`` says it in words, with the lies by their names (``REQUIREMENT~NUMBER``).
    """

    requirement: str
    doubt: Doubt
    reason: str


@dataclass(frozen=True, slots=True)
class Power:
    """What became of the lies about a run.

    Of ``kept`` promises, ``proven`` would have failed every lie that can be told about this run;
    the others are ``exceptions``. ``lies`` were told, which took ``seconds``.
    """

    kept: int
    proven: int
    lies: int
    seconds: float
    exceptions: tuple[Exempt, ...] = ()

    @property
    def told(self) -> str:
        """One sentence about it."""
        named = "promise" if self.kept == 1 else "promises"
        return f"of {self.kept} {named} kept, {self.proven} would have failed a lie about this run"

    @property
    def blind(self) -> tuple[str, ...]:
        """The promises for which every lie was missed."""
        return tuple(each.requirement for each in self.exceptions if each.doubt is Doubt.BLIND)
