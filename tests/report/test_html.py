"""The page of a record: what is in it, and that nothing in it is markup of the subject's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import main
from harness.record import jsonl
from harness.record.run_record import RunRecord
from harness.report.html import page

Stored = Callable[[], RunRecord]


def test_the_page_needs_nothing_but_itself(stored: RunRecord) -> None:
    shown = page(stored)
    assert "default-src 'none'" in shown
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(?!data:)", shown)
    assert not re.findall(r"@import|url\(", shown)
    assert len(shown) < 3_000_000


def test_everything_of_the_subject_is_quoted(stored: RunRecord) -> None:
    shown = page(stored)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_finding_is_told_whole(stored: RunRecord) -> None:
    shown = page(stored)
    for text in (
        'id="privacy.prompt"',
        'href="https://example.org/document#one"',
        "pytest --cc-binary=npm:2.1.31",
        "<dt><code>session.id</code></dt>",
        "What to do: Leave it off.",
        "--hypothesis-seed=42",
        "request to the model: status 529",
        "forbidden",
        "Of 1 promise kept, 0 would have failed a lie about this run: 2 lies were told",
        "1: every lie was missed",
    ):
        assert text in shown, text


def test_a_record_of_before_is_rendered(stored: RunRecord, tmp_path: Path) -> None:
    """Without impacts, moments and attributes, which older records do not have."""
    rows = [replace(row, impact=None, advice="", asked=False) for row in stored.rows]
    assert stored.recording is not None
    runs = tuple(replace(run, moments=()) for run in stored.recording.runs)
    old = replace(
        stored, rows=tuple(rows), recording=replace(stored.recording, runs=runs), footer=None
    )
    jsonl.write(tmp_path / "record.jsonl", old)
    text = (tmp_path / "record.jsonl").read_text()
    assert '"impact"' not in text
    assert '"moments"' not in text
    assert main(["report", str(tmp_path)]) == 0
    shown = (tmp_path / "index.html").read_text()
    assert "Not known: the run was broken off" in shown
    assert 'data-impact="privacy"' in shown


def test_a_record_is_the_same_when_it_is_read(stored: RunRecord, tmp_path: Path) -> None:
    jsonl.write(tmp_path / "record.jsonl", stored)
    read = jsonl.read(tmp_path / "record.jsonl")
    assert read == stored
    assert page(read) == page(stored)


def test_what_is_no_record_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "no such file" in capsys.readouterr().err
