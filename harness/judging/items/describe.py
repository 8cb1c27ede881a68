"""Describe for a reader what a JSON Schema expects, and what was seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LONGEST = 160
_LONGEST_ABRIDGED = 60


def shown(value: Any) -> str:
    """Show a value with its type, cut off if it is long: ``"13" (string)``."""
    if isinstance(value, Mapping | list | str | bool | int | float) or value is None:
        text = json.dumps(value, ensure_ascii=False, default=str)
        kind = _KINDS.get(type(value), "object")
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}…"
        return f"{text} ({kind})"
    return repr(value)


def abridged(text: str) -> str:
    """Quote a text on one line, cut off if it is long."""
    shown = json.dumps(text, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST_ABRIDGED else f"{shown[:_LONGEST_ABRIDGED]}…"


_KINDS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "double",
    list: "array",
    type(None): "empty",
}


def expected(schema: Any) -> str:
    """Describe in a short phrase what a schema asks for."""
    if not isinstance(schema, Mapping):
        return "anything" if schema else "nothing"
    if "title" in schema:
        return str(schema["title"])
    parts = []
    if "const" in schema:
        parts.append(shown(schema["const"]))
    if "enum" in schema:
        parts.append("one of " + ", ".join(json.dumps(value) for value in schema["enum"]))
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        parts.append(" or ".join(_article(kind) for kind in kinds))
    for keyword, words in _WORDS.items():
        if keyword in schema:
            parts.append(f"{words} {json.dumps(schema[keyword], ensure_ascii=False)}")
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            parts.append(" or ".join(expected(subschema) for subschema in schema[keyword]))
    if "allOf" in schema:
        parts.append(" and ".join(expected(subschema) for subschema in schema["allOf"]))
    if "not" in schema:
        parts.append(f"not {expected(schema['not'])}")
    return ", ".join(parts) or "anything"


_WORDS = {
    "pattern": "matching",
    "format": "in the format",
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "minLength": "of a length of at least",
    "required": "with",
}


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
