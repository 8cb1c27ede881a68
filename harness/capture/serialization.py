"""Convert dataclasses to JSON values and back, by cattrs; strict in both directions.

``object`` in an annotation stands for any JSON value, ``bytes`` are written in base64,
enumerations by their value. Nothing is coerced: the string ``"3"`` is no integer, and neither is
``true``. Fields that ``__init__`` does not take are left out.
"""

from __future__ import annotations

import base64
import dataclasses
import reprlib
from collections.abc import Callable, Mapping
from enum import Enum, IntEnum, StrEnum
from typing import Any, TypeVar, get_args, get_origin

from cattrs import (
    BaseConverter,
    BaseValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
    transform_error,
)
from cattrs.cols import homogenous_tuple_structure_factory, mapping_structure_factory
from cattrs.gen import make_dict_structure_fn

T = TypeVar("T")
_Hook = Callable[[Any, Any], Any]

#: Problems of one value that a message lists; a file of another kind has one in each field.
_SHOWN = 3


class SerializationError(ValueError):
    """A value that does not fit; the message says what was expected and seen, and where."""


def to_plain(value: Any) -> Any:
    """Convert ``value`` to what :mod:`json` writes."""
    return _CONVERTER.unstructure(value)


def from_plain(kind: type[T], value: Any) -> T:
    """Convert what :func:`to_plain` returned back to a ``kind``.

    Raises :class:`SerializationError`, whose message ends in the place as a JSON path: ``expected
    an integer, saw '3' @ $.status``.
    """
    try:
        return _CONVERTER.structure(value, kind)
    except (BaseValidationError, ValueError) as error:
        problems = transform_error(error, format_exception=_explain)
    more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
    raise SerializationError("; ".join(problems[:_SHOWN] + more))


def _explain(error: BaseException, kind: type | None) -> str:
    if isinstance(error, KeyError):
        return "missing"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown {', '.join(map(repr, sorted(error.extra_fields)))}"
    return str(error)


def _exactly(name: str, kind: type, convert: _Hook | None = None) -> _Hook:
    """Make a hook that accepts values of type ``kind`` only, and then applies ``convert``."""

    def check(value: Any, target: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"expected {name}, saw {reprlib.repr(value)}")
        return value if convert is None else convert(value, target)

    return check


def _bytes(value: str, _: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise ValueError(f"expected base64, saw {reprlib.repr(value)}: {error}") from None


def _enum(value: Any, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"expected one of {known}, saw {reprlib.repr(value)}") from None


def _object(kind: Any, converter: BaseConverter) -> _Hook:
    return _exactly("an object", dict, make_dict_structure_fn(kind, converter))


def _mapping(kind: Any, converter: BaseConverter) -> _Hook:
    return _exactly("an object", dict, mapping_structure_factory(kind, converter))


def _array(kind: Any, converter: BaseConverter) -> _Hook:
    *kinds, last = get_args(kind)
    if last is Ellipsis:
        convert: _Hook = homogenous_tuple_structure_factory(kind, converter)
    else:
        convert = _fixed_array(kind, (*kinds, last), converter)
    return _exactly("an array", list, convert)


def _fixed_array(kind: Any, kinds: tuple[Any, ...], converter: BaseConverter) -> _Hook:
    """Make the hook of types like ``tuple[str, int]``, for which cattrs has no factory."""
    hooks = [(converter.get_structure_hook(element_kind), element_kind) for element_kind in kinds]

    def convert(value: list[Any], _: Any) -> tuple[Any, ...]:
        if len(value) != len(hooks):
            raise ValueError(f"expected {len(hooks)} elements, saw {len(value)}")
        made = []
        for (hook, element_kind), item in zip(hooks, value, strict=True):
            try:
                made.append(hook(item, element_kind))
            except Exception as error:
                what = f"element {len(made)} of {kind}"
                error.add_note(IterableValidationNote(what, len(made), element_kind))
                raise IterableValidationError(what, [error], kind) from None
        return tuple(made)

    return convert


def _is(origin: type) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _converter() -> Converter:
    made = Converter(forbid_extra_keys=True, unstruct_collection_overrides={tuple: list})
    made.register_structure_hook_factory(dataclasses.is_dataclass, _object)
    made.register_structure_hook_factory(_is(Mapping), _mapping)
    made.register_structure_hook_factory(_is(tuple), _array)
    made.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    # Each by name: else those that are strings or integers, too, go by the hooks of these.
    for enumeration in (Enum, StrEnum, IntEnum):
        made.register_structure_hook(enumeration, _enum)
        made.register_unstructure_hook(enumeration, lambda value: value.value)
    made.register_structure_hook(bytes, _exactly("a string of base64", str, _bytes))
    made.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    for name, kind in (
        ("a string", str),
        ("an integer", int),
        ("a number with a fraction", float),
        ("true or false", bool),
    ):
        made.register_structure_hook(kind, _exactly(name, kind))
    return made


_CONVERTER = _converter()
