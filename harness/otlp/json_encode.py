"""Encode protobuf messages as canonical OTLP/JSON.

64-bit integers are decimal strings, enums integers, trace and span ids lower-case hex, other
bytes base64, NaN and the infinities strings; fields at their default are left out, except inside
a oneof, where presence counts.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from .json_decode import HEX_FIELDS


def encode_json(message: Message) -> bytes:
    """Encode ``message`` as UTF-8 JSON without spaces or line breaks."""
    return json.dumps(to_json(message), ensure_ascii=False, separators=(",", ":")).encode()


def to_json(message: Message) -> dict[str, Any]:
    """Convert ``message`` to the values of :mod:`json`."""
    result: dict[str, Any] = {}
    writers = _writers(message.DESCRIPTOR)
    for field, value in message.ListFields():
        name, repeated, write = writers[field.number]
        result[name] = [write(item) for item in value] if repeated else write(value)
    return result


@cache
def _writers(descriptor: Descriptor) -> dict[int, tuple[str, bool, Callable[[Any], Any]]]:
    return {
        field.number: (field.json_name, field.is_repeated, _writer(field))
        for field in descriptor.fields
    }


_WIDE = frozenset({FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64})


def _writer(field: FieldDescriptor) -> Callable[[Any], Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return to_json
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.hex if field.name in HEX_FIELDS else _base64
    if field.cpp_type in _WIDE:
        return str
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return _double
    return _as_is


def _as_is(value: Any) -> Any:
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
