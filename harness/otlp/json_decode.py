"""Decode OTLP/JSON to protobuf messages, strictly by the OTLP/JSON mapping.

The rules are those of the OTLP specification (section "JSON Protobuf Encoding") over the proto3
JSON mapping: trace and span ids are hex and all other bytes base64, enums are integers only,
64-bit integers are decimal strings or numbers, unknown fields are ignored at any level, and a
snake_case key is an unknown field. The walk follows the message descriptors, so that a field that
a newer opentelemetry-proto brings is read without a change here.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from .errors import DecodeError

#: Bytes fields that OTLP/JSON writes in hex.
HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})

#: Protobuf parsers refuse a message nested deeper than this; so do we.
MAX_DEPTH = 100

INT_NUMBER = "X-JSON-4"
NULL_DOUBLE = "X-JSON-5"
SNAKE_CASE = "X-JSON-3"


@dataclass(frozen=True, slots=True)
class Note:
    """A deviation from the canonical form that a reader must or may tolerate.

    ``code`` is ``X-JSON-4`` (a 64-bit integer written as a number; information),
    ``X-JSON-5`` (``null`` for a double, whose value is lost; a warning) or
    ``X-JSON-3`` (a snake_case key, ignored as unknown; a warning).  There is one
    note per code and kind of place: ``path`` and ``detail`` tell of the first of
    ``times`` occurrences.
    """

    code: str
    path: str
    detail: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    json_name: str
    oneof: str
    repeated: bool
    message: bool
    scalar: Callable[[Any, _Walk], Any]
    double: bool


class _Walk:
    """The current position in the document, and the notes made so far."""

    def __init__(self) -> None:
        self.path: list[str | int] = []
        self.notes: dict[tuple[str, str], Note] = {}

    def where(self) -> str:
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".")

    def fail(self, message: str) -> DecodeError:
        return DecodeError(self.where(), message)

    def note(self, code: str, detail: str) -> None:
        kind = (code, ".".join(step for step in self.path if isinstance(step, str)))
        known = self.notes.get(kind)
        if known is None:
            self.notes[kind] = Note(code, self.where(), detail)
        else:
            self.notes[kind] = Note(code, known.path, known.detail, known.times + 1)


def decode_json(body: bytes, message: Message) -> tuple[Note, ...]:
    """Fill the empty ``message`` from an OTLP/JSON ``body``; return the notes made.

    Raises :class:`DecodeError`.
    """
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise DecodeError("", f"body is not UTF-8: {error}") from None
    except RecursionError:
        raise DecodeError("", "body is nested too deeply") from None
    except ValueError as error:
        raise DecodeError("", f"body is not JSON: {error}") from None
    walk = _Walk()
    _message(document, message, walk, 1)
    return tuple(walk.notes.values())


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON value; write it as a string")


def _message(value: Any, message: Message, walk: _Walk, depth: int) -> None:
    if type(value) is not dict:
        raise walk.fail(f"expected an object for {message.DESCRIPTOR.name}, saw {_show(value)}")
    if depth > MAX_DEPTH:
        raise walk.fail(f"nested deeper than {MAX_DEPTH} messages")
    fields, snake = _fields(message.DESCRIPTOR)
    chosen: dict[str, str] = {}
    path = walk.path
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            if key in snake:
                path.append(key)
                walk.note(SNAKE_CASE, f"{key!r} is ignored as unknown: the field is {snake[key]!r}")
                path.pop()
            continue
        path.append(key)
        if item is None:
            if field.double:
                walk.note(NULL_DOUBLE, "null where a double is meant: the value is lost")
            path.pop()
            continue
        if field.oneof and chosen.setdefault(field.oneof, key) != key:
            raise walk.fail(f"{chosen[field.oneof]!r} is given too; only one of them may be")
        if field.repeated:
            _repeated(item, getattr(message, field.name), field, walk, depth)
        elif field.message:
            child = getattr(message, field.name)
            child.SetInParent()
            _message(item, child, walk, depth + 1)
        else:
            _set(message, field, field.scalar(item, walk), walk)
        path.pop()


def _repeated(value: Any, target: Any, field: _Field, walk: _Walk, depth: int) -> None:
    if type(value) is not list:
        raise walk.fail(f"expected an array, saw {_show(value)}")
    path = walk.path
    for index, item in enumerate(value):
        path.append(index)
        if item is None:
            raise walk.fail("null is no element of an array")
        if field.message:
            _message(item, target.add(), walk, depth + 1)
        else:
            try:
                target.append(field.scalar(item, walk))
            except (UnicodeEncodeError, ValueError) as error:
                raise walk.fail(f"cannot be stored: {error}") from None
        path.pop()


def _set(message: Message, field: _Field, value: Any, walk: _Walk) -> None:
    try:
        setattr(message, field.name, value)
    except (UnicodeEncodeError, ValueError) as error:
        raise walk.fail(f"cannot be stored: {error}") from None


@cache
def _fields(descriptor: Descriptor) -> tuple[dict[str, _Field], dict[str, str]]:
    """Return the fields of a message by JSON name, and JSON names by snake_case name."""
    fields = {field.json_name: _field(field) for field in descriptor.fields}
    snake = {
        field.name: field.json_name for field in descriptor.fields if field.name != field.json_name
    }
    return fields, snake


def _field(field: FieldDescriptor) -> _Field:
    oneof = field.containing_oneof
    return _Field(
        name=field.name,
        json_name=field.json_name,
        oneof=oneof.name if oneof is not None else "",
        repeated=field.is_repeated,
        message=field.type == FieldDescriptor.TYPE_MESSAGE,
        scalar=_hex if field.name in HEX_FIELDS else _SCALARS.get(field.type, _unsupported),
        double=field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE,
    )


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _unsupported(value: Any, walk: _Walk) -> Any:
    raise walk.fail("a field type that OTLP does not use")


def _string(value: Any, walk: _Walk) -> str:
    if type(value) is not str:
        raise walk.fail(f"expected a string, saw {_show(value)}")
    return value


def _bool(value: Any, walk: _Walk) -> bool:
    if type(value) is not bool:
        raise walk.fail(f"expected true or false, saw {_show(value)}")
    return value


_DECIMAL = re.compile(r"-?[0-9]+\Z")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")


def _integer(low: int, high: int, *, wide: bool) -> Callable[[Any, _Walk], int]:
    # No integer of 64 bits has more than 20 characters; int() of a long text is slow.
    longest = 100

    def convert(value: Any, walk: _Walk) -> int:
        if type(value) is str:
            if len(value) > longest or not _DECIMAL.match(value):
                raise walk.fail(f"expected a decimal integer, saw {_show(value)}")
            number = int(value)
        elif type(value) is int:
            number = value
        elif type(value) is float and value.is_integer():
            number = int(value)
        else:
            raise walk.fail(f"expected an integer, saw {_show(value)}")
        if not low <= number <= high:
            raise walk.fail(f"{_show(value)} is outside {low} to {high}")
        if wide and type(value) is not str:
            walk.note(INT_NUMBER, f"64-bit integer written as the number {_show(value)}")
        return number

    return convert


def _enum(value: Any, walk: _Walk) -> int:
    if type(value) is not int:
        raise walk.fail(f"an enum is written as an integer, saw {_show(value)}")
    if not -(2**31) <= value < 2**31:
        raise walk.fail(f"{value} is outside the range of an enum")
    return value


def _double(value: Any, walk: _Walk) -> float:
    if type(value) is float:
        number = value
    elif type(value) is int:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    elif type(value) is str:
        if value in ("NaN", "Infinity", "-Infinity"):
            return float(value)
        if not _NUMBER.match(value):
            raise walk.fail(f"expected a number, saw {_show(value)}")
        number = float(value)
    else:
        raise walk.fail(f"expected a number, saw {_show(value)}")
    if math.isinf(number):
        raise walk.fail(f"{_show(value)} is too large for a double")
    return number


def _hex(value: Any, walk: _Walk) -> bytes:
    # The length is not our matter: an id of a wrong length is "no id", no error.
    if type(value) is str:
        try:
            return binascii.unhexlify(value)
        except (binascii.Error, ValueError):
            pass
    raise walk.fail(f"expected hex digits, two a byte, saw {_show(value)}")


def _base64(value: Any, walk: _Walk) -> bytes:
    # proto3 JSON: the standard or the URL-safe alphabet, with or without padding.
    if type(value) is str:
        text = value.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            pass
    raise walk.fail(f"expected base64, saw {_show(value)}")


_INT64 = _integer(-(2**63), 2**63 - 1, wide=True)
_UINT64 = _integer(0, 2**64 - 1, wide=True)
_INT32 = _integer(-(2**31), 2**31 - 1, wide=False)
_UINT32 = _integer(0, 2**32 - 1, wide=False)

#: Every scalar type that opentelemetry-proto uses.
_SCALARS: dict[int, Callable[[Any, _Walk], Any]] = {
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_BYTES: _base64,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_ENUM: _enum,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
}
