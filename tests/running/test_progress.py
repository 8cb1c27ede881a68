"""What is told while a recording goes on."""

from __future__ import annotations

import pytest

from harness.running.progress import so_far


@pytest.mark.parametrize(
    ("done", "running", "told"),
    [
        (1, ["a"], "1 of 20 runs done after 30 s; running: a"),
        (5, ["a", "b"], "5 of 20 runs done after 30 s, about 90 s more; running: a, b"),
        (
            15,
            list("abcde"),
            "15 of 20 runs done after 30 s, about 10 s more; running: a, b, c and 2 more",
        ),
    ],
)
def test_one_line_says_what_is_done_and_when_it_ends(
    done: int, running: list[str], told: str
) -> None:
    assert so_far(20, done, running, 30.0) == told
