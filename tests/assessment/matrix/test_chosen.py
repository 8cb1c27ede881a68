"""Which releases a command line means."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.assessment.matrix.chosen import Chosen, choose, sharded
from harness.errors import UsageError

PUBLISHED = [f"2.1.{n}" for n in (9, 10, 11, 31, 32, 40, 100)]


def nobody() -> Sequence[str]:
    raise AssertionError("nothing is asked of npm")


def versions(*names: str, every: int = 1) -> list[str]:
    return [each.version for each in choose(names, every, lambda: PUBLISHED)]


def test_releases_by_name_need_no_npm() -> None:
    assert choose(["npm:2.1.31", "2.1.9", "2.1.31", "reference:2.1.40"], 1, nobody) == [
        Chosen("2.1.9", "npm:2.1.9"),
        Chosen("2.1.31", "npm:2.1.31"),
        Chosen("2.1.40", "reference:2.1.40"),
    ]


@pytest.mark.parametrize(
    ("name", "every", "expected"),
    [
        ("2.1.10..2.1.40", 1, ["2.1.10", "2.1.11", "2.1.31", "2.1.32", "2.1.40"]),
        ("2.1.12..2.1.99", 1, ["2.1.31", "2.1.32", "2.1.40"]),
        ("last:2", 1, ["2.1.40", "2.1.100"]),
        ("last:50", 3, ["2.1.9", "2.1.31", "2.1.100"]),
        ("2.1.9..2.1.40", 4, ["2.1.9", "2.1.32", "2.1.40"]),
        ("2.1.9..2.1.9", 7, ["2.1.9"]),
    ],
)
def test_ranges(name: str, every: int, expected: list[str]) -> None:
    assert versions(name, every=every) == expected


def test_a_named_release_is_never_left_out() -> None:
    assert versions("2.1.9..2.1.40", "2.1.11", every=9) == ["2.1.9", "2.1.11", "2.1.40"]


@pytest.mark.parametrize(
    ("names", "every", "problem"),
    [
        (["latest"], 1, "VERSION: expected releases such as .* saw 'latest'"),
        (["2.1"], 1, "VERSION: expected releases such as"),
        (["2.1.9.."], 1, "VERSION: expected releases such as"),
        (["2.1.40..2.1.9"], 1, "expected the older release first"),
        (["3.0.0..3.1.0"], 1, "a range of published ones, 2.1.9 to 2.1.100"),
        (["last:0"], 1, "expected last:N"),
        (["last:x"], 1, "expected last:N"),
        (["2.1.9"], 0, "--every: expected 1 or more, saw 0"),
        (["2.1.9", "reference:2.1.9"], 1, "release 2.1.9: expected one of them"),
    ],
)
def test_bad_names(names: list[str], every: int, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        choose(names, every, lambda: PUBLISHED)


def test_shards_are_all_of_it_together() -> None:
    chosen = choose(PUBLISHED, 1, nobody)
    parts = [sharded(chosen, f"{n}/3") for n in (1, 2, 3)]
    assert sorted(each.version for part in parts for each in part) == sorted(PUBLISHED)
    assert sharded(chosen, None) == chosen
    assert [each.version for each in sharded(chosen, "8/8")] == []


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0", ""])
def test_a_shard_that_is_none(shard: str) -> None:
    with pytest.raises(UsageError, match="--shard: expected I/N"):
        sharded([], shard)
