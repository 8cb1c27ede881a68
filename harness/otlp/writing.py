"""Write Python values into OTLP messages: the inverse of :func:`harness.otlp.flatten.value_of`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

#: Attributes as a mapping, or as pairs where a key may stand twice.
Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]


def put_value(target: AnyValue, value: Any) -> None:
    """Write ``value`` into ``target``, which is empty; the Python type decides the OTLP type.

    None leaves it empty. Raises :class:`ValueError` for what is no value of OTLP.
    """
    match value:
        case None:
            target.SetInParent()
        case bool():
            target.bool_value = value
        case int():
            target.int_value = value
        case float():
            target.double_value = value
        case str():
            target.string_value = value
        case bytes():
            target.bytes_value = value
        case Mapping():
            target.kvlist_value.SetInParent()
            put_attributes(target.kvlist_value.values, value)
        case list() | tuple():
            target.array_value.SetInParent()
            for each in value:
                put_value(target.array_value.values.add(), each)
        case _:
            raise ValueError(f"no OTLP value: {value!r}")


def put_attributes(attributes: Any, pairs: Pairs) -> None:
    """Add attributes to a repeated field of :class:`KeyValue`."""
    for key, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        added: KeyValue = attributes.add(key=key)
        put_value(added.value, value)
