"""What is written into a message is what is read from it."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList

from harness.otlp.flatten import value_of
from harness.otlp.model import Attributes, Value, typed
from harness.otlp.writing import put_attributes, put_value


@pytest.mark.parametrize(
    "value",
    [
        *("", "text", True, False, 0, -(2**63), 0.0, 1.5, b"", b"\0", None, (), ("a", 1, None)),
        Attributes(()),
        Attributes((("a", 1), ("b", Attributes((("c", (1.0, True)),))))),
    ],
    ids=repr,
)
def test_each_type_of_value_comes_back(value: Value) -> None:
    written = KeyValueList()
    put_attributes(written.values, {"key": value})
    read = KeyValueList.FromString(written.SerializeToString())
    assert typed(value_of(read.values[0].value)) == typed(value)
    assert read.values[0].HasField("value")


def test_a_key_may_stand_twice() -> None:
    written = KeyValueList()
    put_attributes(written.values, [("a", 1), ("a", "2")])
    assert [(each.key, value_of(each.value)) for each in written.values] == [("a", 1), ("a", "2")]


def test_no_value_of_otlp() -> None:
    value: Any = object()
    with pytest.raises(ValueError, match="no OTLP value: <object object"):
        put_value(AnyValue(), value)
