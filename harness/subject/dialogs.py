"""Parse the screen of an interactive session: a permission dialog, or the input line.

Releases word and number the options of their dialogs differently. So a
dialog is recognised by its question and an option by its meaning, and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

_QUESTION = re.compile(r"Do you want ")
_OPTION = re.compile(r"^[\s│]*([❯>])?\s*(\d)\.\s+(.+?)[\s│]*$")
_WAY_OUT = re.compile(r"\besc\b", re.IGNORECASE)
_RULE = re.compile(r"^[╭─]{20}")
#: What stands below a menu that covers the input line, as the one that a second Esc opens.
_MENU = re.compile(r"^\s*Enter to \w+ · Esc to \w+")
_PROMPT = re.compile(r"^[\s│]{0,2}[❯>](?:\s(.*?))?[\s│]*$")

ESCAPE = "\x1b"


class Choice(Enum):
    """The ways in which a person may answer a permission prompt.

    Each has the pattern of the option's text (None: the prompt is dismissed) and the documented
    source of the decision.

    Source: "Tool decision event", February and August 2026.
    """

    YES = (r"Yes$", "user_temporary")
    #: The option on a file edit that lasts as long as the session.
    YES_FOR_THE_SESSION = (r"Yes, .*(?:all edits|accept edits)", "user_temporary")
    YES_AND_NEVER_ASK_AGAIN = (r"Yes, and don.t ask again", "user_permanent")
    NO = (r"No\b", "user_reject")
    DISMISS = (None, "user_abort")

    def __init__(self, pattern: str | None, source: str) -> None:
        self.pattern = pattern
        self.source = source

    @property
    def accepts(self) -> bool:
        return self in (Choice.YES, Choice.YES_FOR_THE_SESSION, Choice.YES_AND_NEVER_ASK_AGAIN)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A completely drawn question with numbered options (key -> text).

    ``context`` is what is shown above the question: the file or the command. It may
    still be drawn while the question can be answered, so it is not compared.
    Nor is ``marked``, the key of the option that Enter would choose.
    """

    question: str
    options: tuple[tuple[str, str], ...]
    context: str = field(default="", compare=False)
    marked: str = field(default="", compare=False)

    def key(self, choice: Choice) -> str | None:
        """Return the key that answers with ``choice`` here, or None if that is not offered."""
        if choice.pattern is None:
            return ESCAPE
        for key, words in self.options:
            if re.match(choice.pattern, words):
                return key
        return None


def dialog(lines: Sequence[str]) -> Dialog | None:
    """Return the lowest question on the screen, once its options and the hint at Esc are drawn."""
    for at in range(len(lines) - 1, -1, -1):
        if _QUESTION.search(lines[at]):
            below = lines[at + 1 :]
            matches = [m for line in below if (m := _OPTION.match(line))]
            options = tuple((match[2], match[3]) for match in matches)
            marked = next((match[2] for match in matches if match[1]), "")
            if options and any(_WAY_OUT.search(line) for line in below):
                context = "\n".join(line.strip(" │") for line in lines[_top(lines, at) : at])
                return Dialog(lines[at].strip(" │"), options, context, marked)
            return None
    return None


def is_menu(lines: Sequence[str]) -> bool:
    """Say whether a menu covers the input line: Esc closes it."""
    lowest = next((line for line in reversed(lines) if line.strip()), "")
    return _MENU.match(lowest) is not None


def _top(lines: Sequence[str], at: int) -> int:
    """Return the first line of the dialog whose question is on line ``at``: below a solid rule."""
    return next((n + 1 for n in range(at - 1, -1, -1) if _RULE.match(lines[n])), 0)


def prompt_line(lines: Sequence[str]) -> str | None:
    """Return the text in the input line, or None if there is none (a dialog is open, say).

    A prompt that was submitted is shown in the same way further up: the lowest one counts.
    """
    if dialog(lines) is not None or is_menu(lines):
        return None
    for line in reversed(lines):
        if _OPTION.match(line):
            return None  # a dialog that is not yet drawn to its end
        if match := _PROMPT.match(line):
            return (match[1] or "").strip()
    return None
