"""Tell in what two items differ: what was sent, or should come out, and what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...otlp.model import Attributes, DataPoint, Value, typed
from .facets import (
    FIELDS,
    Kind,
    Telemetry,
    attribute_sets,
    attributes_key,
    quick,
)
from .placeholders import Placeholder, plain

_LONGEST = 80


class Words(str):
    """Stands for a value that is not there, or for what no value says."""

    __slots__ = ()


_NOTHING = Words("nothing")
_ONCE, _SEVERAL = Words("there once"), Words("there several times")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not what it was."""

    kind: Kind
    path: str
    was: Value
    came: Value

    def __str__(self) -> str:
        was, came = told(self.was), told(self.came)
        return f"{self.path} was {was}, came out as {came}{self._later()}"

    def _later(self) -> str:
        was, came = self.was, self.came
        if self.kind is not Kind.TIMES or not isinstance(was, int) or not isinstance(came, int):
            return ""
        return f", {abs(came - was)} ns {'later' if came > was else 'earlier'}"


def differences(expected: Telemetry, arrived: Telemetry) -> tuple[Difference, ...]:
    """Return every difference of two items of one signal."""
    return tuple(_differences(expected, arrived))


def _differences(expected: Telemetry, arrived: Telemetry) -> Iterator[Difference]:
    for kind, path, read in FIELDS[type(expected)]:
        was, came = read(expected), read(arrived)
        if was is not came and quick(was) != quick(came):
            yield Difference(kind, path, was, came)
    if isinstance(expected, DataPoint) and isinstance(arrived, DataPoint):
        yield from _in_value(expected.value, arrived.value)
    for (name, before), (_, after) in zip(
        attribute_sets(expected), attribute_sets(arrived), strict=True
    ):
        if before is not after and attributes_key(before) != attributes_key(after):
            yield from _in_attributes(name, before, after)


def _in_value(was: int | float | None, came: int | float | None) -> Iterator[Difference]:
    if typed(was) != typed(came):
        kind = Kind.VALUE_TYPE if _same_number(was, came) else Kind.VALUE
        yield Difference(kind, "value", was, came)


def _in_attributes(name: str, before: Attributes, after: Attributes) -> Iterator[Difference]:
    old, new = dict(before.pairs), dict(after.pairs)
    for key, was in old.items():
        if key not in new:
            yield Difference(_kind(name, "lost"), f"{name}.{key}", was, _NOTHING)
            continue
        came = new[key]
        if was is came or quick(was) == quick(came):
            continue
        if not (isinstance(was, Placeholder) and was.agrees(came)):
            how = "retyped" if _same_text(was, came) else "changed"
            yield Difference(_kind(name, how), f"{name}.{key}", was, came)
    for key, came in new.items():
        if key not in old:
            yield Difference(_kind(name, "added"), f"{name}.{key}", _NOTHING, came)
    if len(old) < len(before.pairs) or len(new) < len(after.pairs):
        yield from _in_repeated(name, before, after)


def _in_repeated(name: str, before: Attributes, after: Attributes) -> Iterator[Difference]:
    """Tell keys that are repeated on one side only, or with other values."""
    for key in sorted({*before.repeated, *after.repeated}):
        was = sorted(repr(value) for each, value in before.pairs if each == key)
        came = sorted(repr(value) for each, value in after.pairs if each == key)
        if was and came and was != came:
            how = "changed" if len(was) == len(came) else "lost"
            how = "added" if len(was) < len(came) else how
            yield Difference(
                _kind(name, how),
                f"{name}.{key}",
                _ONCE if len(was) == 1 else _SEVERAL,
                _ONCE if len(came) == 1 else _SEVERAL,
            )


_KINDS = {
    ("attributes", "lost"): Kind.ATTRIBUTES_LOST,
    ("attributes", "added"): Kind.ATTRIBUTES_ADDED,
    ("attributes", "changed"): Kind.ATTRIBUTES_CHANGED,
    ("attributes", "retyped"): Kind.ATTRIBUTES_RETYPED,
    ("resource.attributes", "lost"): Kind.RESOURCE_LOST,
    ("resource.attributes", "added"): Kind.RESOURCE_ADDED,
    ("resource.attributes", "changed"): Kind.RESOURCE_CHANGED,
    ("resource.attributes", "retyped"): Kind.RESOURCE_CHANGED,
}


def _kind(name: str, how: str) -> Kind:
    return _KINDS.get((name, how), Kind.SCOPE)


def told(value: Value) -> str:
    """Tell a value with its type: ``"13" (string)``, ``13 (int)``, ``1.0 (double)``."""
    if isinstance(value, Placeholder | Words):
        return str(value)
    text = json.dumps(plain(value), ensure_ascii=False)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    return f"{text} ({_TYPES[type(value)]})"


_TYPES = {
    str: "string",
    bool: "bool",
    int: "int",
    float: "double",
    bytes: "bytes",
    type(None): "empty",
    tuple: "array",
    Attributes: "map",
}


def _same_number(was: object, came: object) -> bool:
    return isinstance(was, int | float) and isinstance(came, int | float) and was == came


def _same_text(was: object, came: object) -> bool:
    """Return whether two values of two types say the same."""
    if type(was) is type(came):
        return False
    if _same_number(was, came):
        return True
    first, second = _text(was), _text(came)
    if first == second:
        return True
    try:
        return float(first) == float(second)
    except ValueError:
        return False


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, tuple | Attributes | bool):
        return json.dumps(plain(value)).lower()
    return str(value)
