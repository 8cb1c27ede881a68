"""Values as consoles of JavaScript print them."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exposition import ExpositionError
from harness.exposition.literals import literal
from harness.reference.console import literal as emitted
from harness.subject.node import packaged_bin

#: The same value as Node and as Bun print it.
NODE = r"""{
  'team.id': 'it\'s "q"`é',
  text: 'one\n' +
    'two \\ \x07',
  both: "it's",
  all: `'"`,
  advice: {},
  time: [ 1795582210, 634000000 ],
  small: 1e-7,
  whole: 3,
  big: 12n,
  unknown: undefined,
  yes: true,
  list: [ { a: 1 }, null ]
}"""
BUN = r"""{
  "team.id": "it's \"q\"`é",
  text: "one\ntwo \\ \u0007",
  both: "it's",
  all: "'\"",
  advice: {},
  time: [ 1795582210, 634000000 ],
  small: 1e-7,
  whole: 3,
  big: 12n,
  unknown: undefined,
  yes: true,
  list: [
    {
      a: 1,
    }, null
  ],
}"""
VALUE = {
    "team.id": 'it\'s "q"`é',
    "text": "one\ntwo \\ \x07",
    "both": "it's",
    "all": "'\"",
    "advice": {},
    "time": [1795582210, 634000000],
    "small": 1e-7,
    "whole": 3,
    "big": 12,
    "unknown": None,
    "yes": True,
    "list": [{"a": 1}, None],
}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("text", [NODE, BUN], ids=["node", "bun"])
def test_what_is_printed_is_read(text: str) -> None:
    assert literal(text) == VALUE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-0", 0),
        ("1.5e+21", 1.5e21),
        ("-Infinity", -math.inf),
        ("'\\u{1F600}'", "😀"),
        ("'\\uD83D\\uDE00'", "😀"),
        ("'\\uD83D'", chr(0xD83D)),
        ("[ 1, 2, ]", [1, 2]),
    ],
)
def test_odd_values(text: str, value: object) -> None:
    assert literal(text) == value


def test_whole_numbers_are_integers_as_in_javascript() -> None:
    assert [type(each) for each in literal("[ 1, 1.0, 1.5, 1e300 ]")] == [int, int, float, float]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{ a }",
        "{ a: 1",
        "{ a: 1 b: 2 }",
        "{ a: 1, a: 2 }",
        "[ 1 2 ]",
        "1 2",
        "'open",
        "[Object]",
        "{ a: [Array] }",
        "'cut'... 3 more characters",
        "[ 1, ... 2 more items ]",
        "Map(1) { 'a' => 1 }",
        "'a' + 1",
        "undefinedly",
        "[" * 99 + "]" * 99,
    ],
)
def test_what_is_broken_or_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ExpositionError, match="line 1: expected"):
        literal(text)


def test_the_place_of_a_fault_is_told() -> None:
    with pytest.raises(ExpositionError, match=r"line 3: expected a value, saw '\[Object\]'|line 3"):
        literal("{\n  a: 1,\n  b: [Object]\n}")


@given(VALUES)
def test_what_the_emitter_prints_is_read_as_it_was(value: object) -> None:
    assert literal(emitted(value)) == value


#: What a literal may be read as.
READ = (str, int, float, list, dict, type(None))


def reading(text: str) -> tuple[Any, str]:
    """The value, or why it was refused."""
    try:
        return literal(text), ""
    except ExpositionError as error:
        return None, str(error)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    value, refusal = reading(text)
    assert ": expected" in refusal if refusal else isinstance(value, READ)


@pytest.mark.needs("node")
def test_what_node_prints_is_read() -> None:
    """The real printer, with all that makes it choose another form."""
    packaged = packaged_bin()
    node = shutil.which("node") or (packaged and str(packaged / "node"))
    assert node
    texts = ["'", '"', "'\"", "'\"`", "\\", "\n", "a\nb\n", "\x1b[0m\t", "\u2028", "漢 😀", "$ {x}"]
    value = {
        "texts": texts,
        "long": ["x" * 90, "line\n" * 30],
        "numbers": [*range(30), 1.5, -1e-9, 1e21, 2**53],
        "keys": {"a.b": 1, "a-b": 2, "a b": 3, "1": 4, "": 5, "'": 6, "default": 7, "é": 8},
        "nested": {"a": {"b": {"c": [{"d": []}]}}},
        "nothing": [None, True, False],
    }
    script = f"console.dir({json.dumps(value)}, {{ depth: null }})"
    printed = subprocess.run(
        [node, "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert literal(printed.stdout) == value
