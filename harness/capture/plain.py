"""Our dataclasses as plain JSON values and back, led by their annotations.

Only what runs and exports are made of: strings, numbers, booleans, bytes (as
base64), enumerations, tuples, mappings with keys that are strings, optional values and
dataclasses of these.  ``object`` stands for any JSON value.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class PlainError(ValueError):
    """A value that does not fit; the message says where, what was seen and expected."""


def to_plain(value: Any) -> Any:
    """``value`` as what :mod:`json` writes; fields that ``__init__`` does not take are left out."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: to_plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.init
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], value: Any, where: str = "") -> T:
    """The ``kind`` that :func:`to_plain` made ``value`` of; raises :class:`PlainError`."""
    result: T = _convert(kind, value, where)
    return result


def _convert(kind: Any, value: Any, where: str) -> Any:
    if kind is object:
        return value
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (kind,) = (each for each in typing.get_args(kind) if each is not type(None))
        return _convert(kind, value, where)
    if origin is tuple:
        return _tuple(typing.get_args(kind), _expect(list, value, where), where)
    if origin is Mapping:
        outer, inner = typing.get_args(kind)
        pairs = _expect(dict, value, where).items()
        return {
            _convert(outer, key, where): _convert(inner, item, f"{where}.{key}")
            for key, item in pairs
        }
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _expect(dict, value, where), where)
    if kind is bytes:
        try:
            return base64.b64decode(_expect(str, value, where), validate=True)
        except binascii.Error as error:
            raise PlainError(f"{where}: expected base64: {error}") from None
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(repr(each.value) for each in kind)
            raise PlainError(f"{where}: expected one of {known}, saw {value!r}") from None
    return _expect(kind, value, where)


def _expect(kind: type[Any], value: Any, where: str) -> Any:
    if type(value) is not kind:
        names = {dict: "an object", list: "an array", str: "a string", int: "an integer"}
        raise PlainError(
            f"{where}: expected {names.get(kind, kind.__name__)}, saw {str(value)[:40]!r}"
        )
    return value


def _tuple(kinds: tuple[Any, ...], value: list[Any], where: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise PlainError(f"{where}: expected {len(kinds)} elements, saw {len(value)}")
    return tuple(
        _convert(kind, item, f"{where}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _dataclass(kind: Any, value: dict[str, Any], where: str) -> Any:
    hints = _hints(kind)
    if unknown := sorted(value.keys() - hints.keys()):
        raise PlainError(f"{where}: unknown {unknown[0]!r}")
    for field in dataclasses.fields(kind):
        needed = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        if needed and field.init and field.name not in value:
            raise PlainError(f"{where}: {field.name!r} is missing")
    prefix = f"{where}." if where else ""
    return kind(
        **{name: _convert(hints[name], item, prefix + name) for name, item in value.items()}
    )


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}
