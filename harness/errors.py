"""Exceptions by whose fault they are: the harness's (or its caller's), or the subject's.

The harness never turns one into the other. A :class:`HarnessError` means that
nothing can be said about the subject; a :class:`SubjectError` is itself
something to say about the subject.
"""

from __future__ import annotations

import re
import unicodedata

#: What a terminal, a browser or a file may take for more than text: control characters (but for
#: line ends and tabs), marks that turn the direction of writing or are invisible, surrogates and
#: what has no meaning.
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT = frozenset("\n\t")

_PLAIN = re.compile(r"[\n\t -~]*")


def printable(text: str) -> str:
    r"""Return the text with everything that is not to be printed as ``\x1b`` or ``\u202e``."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in _CATEGORIES
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


class HarnessError(Exception):
    """A fault of the harness, of the machine, or of the way in which the harness was called.

    The ``message`` may quote what a process printed: what is not to be printed is escaped in it.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class UsageError(HarnessError):
    """A value that the caller gave and that cannot be used.

    The message always names what to ``change``, what was ``seen`` and what was
    ``expected``, so that it can be acted on without reading the source.
    """

    def __init__(self, change: str, *, seen: str, expected: str) -> None:
        self.change = change
        self.seen = seen
        self.expected = expected
        super().__init__(f"{change}: expected {expected}, saw {seen}")


class SubjectError(Exception):
    """The process under test could not be started, died or hung.

    ``message`` says what happened; ``output`` holds the last of what the process printed,
    so that the report can show it. What is not to be printed is escaped in both.
    """

    def __init__(self, message: str, *, output: str = "") -> None:
        self.output = printable(output)
        message = printable(message)
        super().__init__(f"{message}\nlast output:\n{self.output}" if output else message)


class NotInTimeError(SubjectError):
    """The process under test did not do in time what was expected of it.

    It hangs, or the machine is so slow that it, or who drives it, came too late.
    """


class OursTooLateError(NotInTimeError):
    """Something of ours was not there when the process under test needed it.

    What the process did then says nothing about it.
    """


class DeadlineExceeded(HarnessError):  # noqa: N818 - a condition, as in the OTLP status
    """A condition did not come true in time; the message lists what was seen."""
