"""Parse JavaScript values as ``console.dir`` prints them, by Node and by Bun.

This is no JSON and no JSON5: there are ``undefined``, big integers, three kinds of quotes, and
long strings are broken into pieces that ``+`` joins. No library reads that. What was cut off or
folded (``[Object]``, ``... 3 more items``) is refused: its content is lost.
"""

from __future__ import annotations

import re
from typing import Any

from . import ExpositionError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)
    | (?P<number>[-+]?(?:Infinity|NaN|\d+n|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))
    | (?P<name>[A-Za-z_$][\w$]*)
    | (?P<mark>[][{}:,+])
    )""",
    re.VERBOSE,
)
_WORDS = {"undefined": None, "null": None, "true": True, "false": False}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\}|\n|.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "\n": ""}

#: Deeper than anything that is printed; a limit of our own, below that of the interpreter.
_DEPTH = 50


def literal(text: str) -> Any:
    """Parse a text that holds one value.

    The value is made of dicts, lists, strings, booleans, numbers (a whole one is an int) and
    None. Raises :class:`ExpositionError`.
    """
    reader = _Reader(text)
    value = reader.value(_DEPTH)
    reader.end()
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind = ""
        self._token = ""
        self._next()

    def value(self, depth: int) -> Any:
        if not depth:
            raise self._wrong("less nesting")
        kind, token = self._kind, self._token
        if kind == "string":
            return self._string()
        if kind == "number":
            self._next()
            return _number(token)
        if kind == "name" and token in _WORDS:
            self._next()
            return _WORDS[token]
        if token == "{":
            return self._object(depth)
        if token == "[":
            return self._array(depth)
        raise self._wrong("a value")

    def end(self) -> None:
        if self._kind:
            raise self._wrong("the end")

    def _object(self, depth: int) -> dict[str, Any]:
        self._expect("{")
        members: dict[str, Any] = {}
        while self._token != "}":
            if self._kind == "string":
                key = _unescaped(self._token)
            elif self._kind in ("name", "number"):
                key = self._token
            else:
                raise self._wrong("a key")
            if key in members:
                raise self._wrong("another key than before")
            self._next()
            self._expect(":")
            members[key] = self.value(depth - 1)
            if self._token != "}":
                self._expect(",")
        self._next()
        return members

    def _array(self, depth: int) -> list[Any]:
        self._expect("[")
        elements = []
        while self._token != "]":
            elements.append(self.value(depth - 1))
            if self._token != "]":
                self._expect(",")
        self._next()
        return elements

    def _string(self) -> str:
        pieces = [_unescaped(self._token)]
        self._next()
        while self._token == "+" and self._kind == "mark":
            self._next()
            if self._kind != "string":
                raise self._wrong("the rest of a string")
            pieces.append(_unescaped(self._token))
            self._next()
        return "".join(pieces)

    def _expect(self, mark: str) -> None:
        if self._kind != "mark" or self._token != mark:
            raise self._wrong(repr(mark))
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is not None:
            self._kind = str(match.lastgroup)
            self._token = match[self._kind]
            self._at = match.end()
        elif self._text[self._at :].strip():
            raise self._wrong("something that can be read")
        else:
            self._kind = self._token = ""

    def _wrong(self, wanted: str) -> ExpositionError:
        begin = max(0, self._at - len(self._token))
        line = self._text.count("\n", 0, begin) + 1
        return ExpositionError(
            f"line {line}: expected {wanted}, saw {self._text[begin:].lstrip()[:40]!r}"
        )


def _number(token: str) -> int | float:
    if token.endswith("n"):
        return int(token[:-1])
    if token.lstrip("+-") in ("Infinity", "NaN"):
        return float(token.replace("Infinity", "inf"))
    value = float(token)
    # JavaScript knows one kind of number, and OTLP's own exporters tell them apart so.
    return (
        int(token) if re.fullmatch(r"[-+]?\d+", token) else int(value) if _whole(value) else value
    )


def _whole(value: float) -> bool:
    return value.is_integer() and abs(value) < 2.0**63


def _unescaped(quoted: str) -> str:
    text = _ESCAPE.sub(_escape, quoted[1:-1])
    # Two escapes of a surrogate pair are one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xu" and len(code) > 1:
        return chr(int(code[1:].strip("{}"), 16))
    return _ESCAPES.get(code, code)
