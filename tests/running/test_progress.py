"""What is told while a recording goes on."""

from __future__ import annotations

import json

import pytest

from harness.progress import PROGRESS_S, SoFar, every_s


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
    assert SoFar.of(20, done, running, 30.0) == told


@pytest.mark.parametrize(
    ("done", "waits_s", "foretold"),
    [
        (1, 62.0, ", at least 32 s more"),
        (15, 62.0, ", about 32 s more"),
        (15, 35.0, ", about 10 s more"),
        (1, 20.0, ""),
    ],
)
def test_nothing_ends_before_those_that_wait(done: int, waits_s: float, foretold: str) -> None:
    so_far = SoFar.of(20, done, ["a"], 30.0, waits_s)
    assert so_far == f"{done} of 20 runs done after 30 s{foretold}; running: a"


def test_a_bar_says_the_same_within_its_width() -> None:
    so_far = SoFar.of(20, 5, ["day over grpc", "b", "c", "d"], 30.0)
    told = "5/20 runs, about 90 s more: day over grpc, b, c and 1 more"
    assert so_far.bar(100) == f"[#####...............] {told}"
    assert so_far.bar(60) == f"[#####...............] {told}"[:59] + "…"
    assert len(so_far.bar(5)) == 5
    assert SoFar.of(3, 3, [], 1.0).bar(80).startswith("[####################] 3/3 runs")


def test_it_reaches_another_process_as_a_whole() -> None:
    so_far = SoFar.of(20, 1, ["a"], 30.0, 62.0)
    there = SoFar.from_plain(json.loads(json.dumps(so_far.as_plain())))
    assert (there, there.bar(80)) == (so_far, so_far.bar(80))


def test_who_rewrites_a_line_is_told_more_often() -> None:
    class Bar:
        every_s = 0.5

        def __call__(self, text: str) -> None: ...

    assert (every_s(Bar()), every_s(print)) == (0.5, PROGRESS_S)
