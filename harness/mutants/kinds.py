"""The kinds of lies about a single value: what each makes of the truth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .fields import Field

#: A number that is sent as a text.
_NUMERIC = re.compile(r"-?\d+(\.\d+)?")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_HOUR_NS = 3_600_000_000_000
#: What a scale is wrong by.
_SCALE = 1000


class Untellable(ValueError):  # noqa: N818  (no error: it says why there is no lie)
    """Raised where a kind of lie makes no sense; the message says why, for a reader."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A text that is sent as a list of one text."""

    text: str


def shifted(field: Field, value: Any) -> Any:
    """Move a number by one (a broken one by a tenth), a time by an hour, a text by a letter."""
    if _is_nanoseconds(field):
        return value + _HOUR_NS
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 1 if value.is_integer() else value * 1.1
        case str() if _TIMESTAMP.fullmatch(value):
            return _of_time(_time(value) + timedelta(hours=1), value)
        case str() if _NUMERIC.fullmatch(value):
            return _as_text(shifted(field, _number(value)))
        case "true" | "false":
            return "false" if value == "true" else "true"
        case str():
            return _in_text(value, _next_letter)
    raise Untellable("it is neither a number nor a text")


def scaled(field: Field, value: Any) -> Any:
    """Multiply a number by a thousand."""
    if _is_nanoseconds(field):
        raise Untellable("a point in time has no scale")
    return _numerically(value, lambda number: number * _SCALE, "it is not a number")


def truncated(field: Field, value: Any) -> Any:
    """Cut a text in half, a broken number to a whole one, a whole one to its tens."""
    if _is_nanoseconds(field):
        return value // 10**9 * 10**9
    match value:
        case bool() | "true" | "false":
            raise Untellable("a truth value has no part to cut")
        case str() if _TIMESTAMP.fullmatch(value):
            return value[:19] + "Z"
        case str() if not _NUMERIC.fullmatch(value):
            return _in_text(value, lambda text: text[: len(text) // 2])
    return _numerically(value, _cut, "it is neither a number nor a text")


def other_unit(field: Field, value: Any) -> Any:
    """Tell a quantity in another unit: seconds for milliseconds, cents for dollars."""
    if _is_nanoseconds(field):
        return value // 1000
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        return str(round(_time(value).timestamp() * 1000))
    if field.path == ("unit",):
        other = {"s": "ms", "USD": "cent"}.get(value)
        if other is None:
            raise Untellable("a count has no unit that could be another")
        return other
    factors = [factor for pattern, factor in _UNITS.items() if re.fullmatch(pattern, field.name)]
    if not factors:
        raise Untellable("it is no quantity with a unit")
    return _numerically(value, lambda number: number * factors[0], "it is no quantity")


#: What a quantity becomes in another unit, by the field's name.
_UNITS: Mapping[str, float] = {
    r".*_ms": 1 / 1000,
    r".*_bytes": 1 / 1024,
    r".*cost_usd": 100,
    r".*cost_usd_micros": 1 / 1000,
    r"metrics\.cost\.usage\.\[value\]": 100,
    r"metrics\.active_time\.total\.\[value\]": 1000,
}


def other_type(field: Field, value: Any) -> Any:
    """Send a number as a text, a text as a number or a list, a truth value as a text."""
    if field.path == ("value",):
        return int(value) if isinstance(value, float) else float(value)
    if field.path[0] != "attributes" and field.path != ("body",):
        raise Untellable("the protocol fixes its type")
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _as_text(value)
        case "true" | "false":
            return value == "true"
        case str() if _NUMERIC.fullmatch(value):
            return _number(value)
        case str():
            return Listed(value)
    raise Untellable("it is neither a number nor a text")


def other_case(field: Field, value: Any) -> Any:
    """Write a text in the other case: upper for lower, lower for upper."""
    if not isinstance(value, str) or not any(letter.isalpha() for letter in value):
        raise Untellable("it has no letters")
    return _in_text(value, str.swapcase)


def zero(field: Field, value: Any) -> Any:
    """Send nothing for a number."""
    return _numerically(value, lambda number: 0, "it is not a number")


def is_quantity(value: Any) -> bool:
    """Return whether a value is a number or a time, also one that is sent as a text."""
    if isinstance(value, str):
        return bool(_NUMERIC.fullmatch(value) or _TIMESTAMP.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)


#: The kinds that make another value of a value.
OF_ONE_VALUE: Mapping[str, Callable[[Field, Any], Any]] = {
    made.__name__: made for made in (shifted, scaled, truncated, other_unit, other_type, other_case)
}


def _is_nanoseconds(field: Field) -> bool:
    return field.path[-1].endswith("_unix_nano")


def _numerically(value: Any, change: Callable[[Any], Any], otherwise: str) -> Any:
    """Change a number and keep its type, also that of a number that is sent as a text."""
    match value:
        case bool():
            raise Untellable(otherwise)
        case int():
            return int(change(value))
        case float():
            return float(change(value))
        case str() if _NUMERIC.fullmatch(value):
            return _as_text(_numerically(_number(value), change, otherwise))
    raise Untellable(otherwise)


def _cut(number: Any) -> Any:
    return int(number) if number != int(number) else number // 10 * 10


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _as_text(number: float) -> str:
    return str(number)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _of_time(time: datetime, like: str) -> str:
    digits = len(like.partition(".")[2]) - 1
    whole = time.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{time.microsecond:06d}"[: 20 + digits] + "Z" if digits > 0 else f"{whole}Z"


def _next_letter(text: str) -> str:
    """Replace the last letter or digit by the next one; hexadecimal stays hexadecimal."""
    for position in reversed(range(len(text))):
        letter = text[position]
        for alphabet in ("0123456789", "abcdef", "ABCDEF", _SMALL, _SMALL.upper()):
            if letter in alphabet:
                following = alphabet[(alphabet.index(letter) + 1) % len(alphabet)]
                return f"{text[:position]}{following}{text[position + 1 :]}"
    raise Untellable("it has neither letters nor digits")


_SMALL = "ghijklmnopqrstuvwxyzabcdef"


def _in_text(value: str, change: Callable[[str], str]) -> str:
    """Change a text; in one that holds a JSON object, change the first text in there."""
    try:
        parsed = json.loads(value) if value.startswith("{") else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return change(value)
    for key, inner in parsed.items():
        if isinstance(inner, str) and inner:
            return json.dumps({**parsed, key: change(inner)}, separators=(",", ":"))
    raise Untellable("it holds no text")
