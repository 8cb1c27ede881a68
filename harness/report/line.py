"""Lines of output with a semantic style; the caller maps styles to markup."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..errors import printable


class Style(StrEnum):
    """What a line means to a reader."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of output and its style; what is not to be printed is escaped in its text."""

    text: str = ""
    style: Style = Style.PLAIN

    def __post_init__(self) -> None:
        # Names, too, come from the process under test.
        object.__setattr__(self, "text", printable(self.text))
