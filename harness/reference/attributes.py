"""Attribute values, and how the CLI formats and measures them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Scalar = str | bool | int | float
Attributes = dict[str, Scalar]

REDACTED = "<REDACTED>"

_INPUT_VALUE_LIMIT = 512
_INPUT_LIMIT = 4096


def length(text: str) -> int:
    """Count UTF-16 code units, which is what JavaScript calls the length of a string."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(text: str, limit: int) -> str:
    """Cut a text to ``limit`` UTF-16 code units, the mark that it was cut included.

    A character of two units is never cut apart.
    """
    if length(text) <= limit:
        return text
    mark = f"\n\n[TRUNCATED - Content exceeds {limit} character limit]"
    room = max(0, limit - len(mark)) * 2
    return text.encode("utf-16-le", "surrogatepass")[:room].decode("utf-16-le", "ignore") + mark


def in_digits(value: float) -> str:
    """Format a number as decimal digits without an exponent."""
    return format(Decimal(repr(value)), "f")


def compact_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def bounded_json(value: Mapping[str, Any]) -> str:
    """Format JSON arguments; values over 512 characters and the text over 4 K are cut off."""
    short = {
        key: argument[:_INPUT_VALUE_LIMIT] + "…"
        if isinstance(argument, str) and len(argument) > _INPUT_VALUE_LIMIT
        else argument
        for key, argument in value.items()
    }
    return compact_json(short)[:_INPUT_LIMIT]
