"""What is drawn of what a process prints: whatever the pieces, and in bounded time and memory."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.subject.drawing import Drawing

#: Of what a terminal is told, pieces that mean something together.
PIECES = st.sampled_from(
    ["a", "é", "\x1b", "[", "P", "\\", "\x1b\\", "?25h", ">4;2m", "4:3m", "31m", ";", "_", "\x1bP"]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sets(st.integers(0, 60)))
def test_pieces_make_no_difference(text: str, cuts: set[int]) -> None:
    printed = text.encode()
    whole, divided = Drawing(), Drawing()
    edges = [0, *sorted(cut for cut in cuts if cut < len(printed)), len(printed)]
    shown = b"".join(divided.drawn(printed[start:end]) for start, end in pairwise(edges))
    # Something after it, as what is unfinished is held back.
    assert shown + divided.drawn(b"\x1b\\\x1b[0mZ") == whole.drawn(printed + b"\x1b\\\x1b[0mZ")


@pytest.mark.parametrize("sequence", [b"\x1bP", b"\x1b_G", b"\x1b[", b"\x1b[?1", b"\x1b[1;"])
def test_a_sequence_without_end_is_not_kept(sequence: bytes) -> None:
    drawing = Drawing()
    tracemalloc.start()
    try:
        drawing.drawn(sequence)
        for _ in range(2_000):
            assert drawing.drawn(b"1" * 1_000) == b""
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    # A string ends; of a number with so many digits nothing is drawn but what follows it.
    assert drawing.drawn(b"\x1b\\m\x1b[0mafter").endswith(b"after")


def test_many_strings_that_do_not_end_are_read_once() -> None:
    """A quarter of a million beginnings: to look for the end of each would take hours."""
    drawing = Drawing()
    assert drawing.drawn(b"\x1bP" * 250_000) == b""
    assert drawing.drawn(b"\x1b\\after") == b"after"
