"""Leave out what is not drawn of what a process prints at a terminal, in bounded memory."""

from __future__ import annotations

import re

#: Nothing of this is drawn, but pyte prints its end or raises TypeError: the keyboard
#: protocols and queries of newer terminals, colons between parameters.  Of the private
#: sequences pyte knows the modes and how to erase.
_NOT_DRAWN = re.compile(
    rb"\x1b\[(?:[<=>][0-?]*[ -/]*[@-~]"
    rb"|\?[0-?]*[ -/]*[@-IL-gi-km-~]"
    rb"|[0-9;]*:[0-?]*[ -/]*[@-~])"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*)?\Z")

#: How a string for the terminal itself begins, which is not drawn either, and how it ends.
_STRING = re.compile(rb"\x1b[PX^_]")
_END = b"\x1b\\"

#: Of a sequence that does not end, so much is kept.
_LONGEST = 4096


class Drawing:
    """What a process prints, without what pyte does not understand."""

    def __init__(self) -> None:
        self._unfinished = b""
        self._in_string = False

    def drawn(self, printed: bytes) -> bytes:
        """Return what is to be drawn of ``printed``.

        An unfinished escape sequence is held back until its end arrives.
        """
        shown = self._without_strings(self._unfinished + printed)
        if self._in_string:
            return _NOT_DRAWN.sub(b"", shown)
        cut = _UNFINISHED.search(shown)
        end = cut.start() if cut else len(shown)
        self._unfinished = shown[end:][:_LONGEST]
        return _NOT_DRAWN.sub(b"", shown[:end])

    def _without_strings(self, text: bytes) -> bytes:
        """Return the text without strings; one that does not end in it is remembered as such."""
        self._unfinished = b""
        parts: list[bytes] = []
        at = 0
        while True:
            if self._in_string:
                end = text.find(_END, at)
                if end < 0:
                    # Its end may have begun.
                    self._unfinished = text[-1:] if text[at:].endswith(_END[:1]) else b""
                    break
                at, self._in_string = end + len(_END), False
            string = _STRING.search(text, at)
            if string is None:
                parts.append(text[at:])
                break
            parts.append(text[at : string.start()])
            at, self._in_string = string.end(), True
        return b"".join(parts)
