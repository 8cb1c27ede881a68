"""Somebody's queries: the files that hold them, and those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.assessment.query_files import read_all
from harness.errors import UsageError


def test_files_by_name_and_by_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text("groups: [{rules: [{alert: A, expr: up == 0}]}]\n")
    (tmp_path / "rules" / "b.sql").write_text("SELECT 1;\nSELECT 2\n")
    (tmp_path / "odd[1].txt").write_text("# none\nsum(x)\n")
    found = read_all(["rules/**/*.yaml", "rules/*.sql", "odd[1].txt"], "--cc-queries", tmp_path)
    assert [(Path(query.file).name, query.name, query.text) for query in found] == [
        ("a.yaml", "A", "up == 0"),
        ("b.sql", "statement 1", "SELECT 1"),
        ("b.sql", "statement 2", "SELECT 2"),
        ("odd[1].txt", "line 2", "sum(x)"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("folder.json", None, "Is a directory"),
        ("latin.sql", b"SELECT '\xe9'", "'utf-8' codec can't decode"),
        ("cut.json", b'{"panels": [', "Expecting value"),
        ("deep.json", b"[" * 100_000 + b"]" * 100_000, "recursion"),
        ("bad.yaml", b"a: [", "while parsing"),
        ("empty.json", b"{}", "no query in it"),
        ("only.txt", b"# a comment\n", "no query in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, seen: str
) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        read_all([name], "--cc-queries", tmp_path)
    assert raised.value.change == f"--cc-queries {path}"
    assert seen in raised.value.seen
    assert "\n" not in str(raised.value)


def test_a_pattern_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--queries x/\*: expected a pattern that files match"):
        read_all(["x/*"], "--queries", tmp_path)
