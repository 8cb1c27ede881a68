"""A line of text and what it means to the eye; whoever prints it picks the colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"
    CARE = "care"


@dataclass(frozen=True, slots=True)
class Line:
    text: str = ""
    style: Style = Style.PLAIN
