"""Lines of output with a semantic style; the caller maps styles to markup."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a line means to a reader."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of output and its style."""

    text: str = ""
    style: Style = Style.PLAIN
