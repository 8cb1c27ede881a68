"""What is kept of a matrix, and how parts of it come together."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.assessment.matrix.folder import Entry, MatrixFolder, MatrixPlan, merge
from harness.errors import UsageError

PLAN = MatrixPlan("2.1.40", ("working_day",))


def opened(path: Path, *entries: Entry, plan: MatrixPlan = PLAN) -> MatrixFolder:
    folder = MatrixFolder(path)
    folder.open_for(plan)
    for entry in entries:
        with folder.scratch(entry.version) as scratch:
            folder.keep(entry, scratch)
    return folder


def test_what_is_kept_is_read_again(
    tmp_path: Path, entry: Callable[..., Entry], not_run: Callable[[str], Entry]
) -> None:
    made = replace(
        entry("2.1.40", {"a.b": "known", "a.c": "pass"}, made=("working_day over grpc",)),
        undriven={"toolbox over grpc": "exit code 3"},
    )
    folder = opened(tmp_path, made, not_run("2.1.9"))
    assert folder.plan() == PLAN
    assert folder.entries() == [not_run("2.1.9"), made]
    assert folder.finished("2.1.9") == not_run("2.1.9")
    assert folder.finished("2.1.10") is None


def test_a_later_try_replaces_an_earlier_one(
    tmp_path: Path, entry: Callable[..., Entry], not_run: Callable[[str], Entry]
) -> None:
    made = entry("2.1.9", {"a.b": "pass"})
    assert opened(tmp_path, not_run("2.1.9"), made).entries() == [made]


def test_what_was_broken_off_leaves_nothing(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    with folder.scratch("2.1.9") as scratch:
        (scratch / "part").write_text("x")
    assert folder.entries() == []
    assert [path.name for path in (tmp_path / "releases").iterdir()] == []


def test_a_release_is_made_by_one_process(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    with folder.claimed("2.1.9") as ours:
        assert ours
        assert MatrixFolder(tmp_path).is_claimed("2.1.9")
        assert not MatrixFolder(tmp_path).is_claimed("2.1.10")
    assert not folder.is_claimed("2.1.9")


@pytest.mark.parametrize(
    "other", [MatrixPlan("2.1.41", PLAN.scenarios), MatrixPlan(PLAN.by, ("toolbox",))]
)
def test_another_matrix_is_not_mixed_with_it(tmp_path: Path, other: MatrixPlan) -> None:
    opened(tmp_path / "a")
    opened(tmp_path / "b", plan=other)
    with pytest.raises(UsageError, match=r"or a new folder, saw one of working_day, judged by"):
        MatrixFolder(tmp_path / "a").open_for(other)
    with pytest.raises(UsageError, match=f"matrix {tmp_path / 'b'}: expected working_day"):
        merge([MatrixFolder(tmp_path / name) for name in "ab"], MatrixFolder(tmp_path / "c"))


def test_shards_are_merged(
    tmp_path: Path, entry: Callable[..., Entry], not_run: Callable[[str], Entry]
) -> None:
    one, two, three = (entry(version, {"a.b": "pass"}) for version in ("2.1.9", "2.1.10", "2.1.11"))
    parts = [
        opened(tmp_path / "a", one, not_run("2.1.10"), three),
        opened(tmp_path / "b", two, not_run("2.1.11")),
    ]
    into = MatrixFolder(tmp_path / "all")
    merge(parts, into)
    assert into.entries() == [one, two, three]
    merge([into], into)
    assert into.entries() == [one, two, three]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting property name"),
        ('{"format": 7}', "expected format 1, saw format 7"),
        (
            '{"format": 1, "version": "2.1.9"}',
            "expected what cc-harness matrix wrote, saw KeyError",
        ),
        ('{"format": 1, "own": [], "common": [], "inventory": null}', "SerializationError"),
    ],
)
def test_a_file_that_was_changed(
    tmp_path: Path, entry: Callable[..., Entry], text: str, problem: str
) -> None:
    folder = opened(tmp_path, entry("2.1.9", {"a.b": "pass"}))
    file = tmp_path / "releases" / "2.1.9" / "release.json.gz"
    file.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(UsageError, match=f"file {file}: ") as raised:
        folder.entries()
    assert problem in str(raised.value)


def test_a_file_that_was_cut(tmp_path: Path, entry: Callable[..., Entry]) -> None:
    folder = opened(tmp_path, entry("2.1.9", {"a.b": "pass"}))
    file = tmp_path / "releases" / "2.1.9" / "release.json.gz"
    for left in (file.read_bytes()[:-20], b"", b"no gzip"):
        file.write_bytes(left)
        with pytest.raises(UsageError, match=f"file {file}: expected a release of a matrix"):
            folder.entries()


def test_a_folder_that_is_none_of_a_matrix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a folder that cc-harness matrix made"):
        MatrixFolder(tmp_path).plan()
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="expected one that can be written"):
        MatrixFolder(file).open_for(PLAN)
    (tmp_path / "plan.json").write_text(json.dumps({"format": 1, "by": 3}))
    with pytest.raises(UsageError, match="expected what cc-harness matrix wrote"):
        MatrixFolder(tmp_path).plan()
