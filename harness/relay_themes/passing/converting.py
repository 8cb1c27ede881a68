"""Convert the value of an attribute to another type, as a collector may be told to."""

from __future__ import annotations

from ...otlp.model import Value
from .placeholders import written

_BOOLS = {"true": True, "false": False}


def converted(value: Value, to: str) -> Value:
    """Return ``value`` as a ``string``, ``int``, ``double`` or ``bool``.

    What cannot be written in that type, or is of it, stays what it is: the very same object.
    """
    match to:
        case "string":
            return _as_string(value)
        case "int":
            return _as_int(value)
        case "double":
            return _as_double(value)
        case _:
            return _as_bool(value)


def _as_string(value: Value) -> Value:
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return written(value)


def _as_int(value: Value) -> Value:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value == value and abs(value) < 2**63:
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _as_double(value: Value) -> Value:
    if isinstance(value, int):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _as_bool(value: Value) -> Value:
    if isinstance(value, str):
        return _BOOLS.get(value.lower(), value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(value)
    return value
