"""The names that no document knows, in the summary, in the record and on their page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.judging.checks.names import Undocumented
from harness.record import jsonl
from harness.record.header import Header
from harness.record.jsonl import RunRecord
from harness.report import undocumented
from harness.report.line import Style

PAGE = Path(__file__).resolve().parents[2] / "docs" / "undocumented.md"

NAMES = (
    Undocumented("cwd", ("event user_prompt",), ("working_day",)),
    Undocumented("agent_id", ("event api_request",), ("toolbox", "toolbox_open"), "2.1.300"),
)


def test_the_summary_is_short() -> None:
    head, unlisted, listed = undocumented.render(NAMES)
    assert head.text == "undocumented (2 names that no document knows, whole in the record)"
    assert (unlisted.text, unlisted.style) == ("  not listed either: cwd", Style.CARE)
    assert listed.text == "  since a release: agent_id (2.1.300)"
    assert list(undocumented.render(())) == []


def test_the_record_is_whole(tmp_path: Path, header: Header) -> None:
    path = tmp_path / jsonl.FILE_NAME
    jsonl.write(path, RunRecord(replace(header, undocumented=NAMES)))
    assert jsonl.read_part(path).header.undocumented == NAMES


def test_records_of_before_have_none(tmp_path: Path, header: Header) -> None:
    path = tmp_path / jsonl.FILE_NAME
    jsonl.write(path, RunRecord(header))
    path.write_text(path.read_text(encoding="utf-8").replace('"undocumented": [], ', ""), "utf-8")
    assert "undocumented" not in path.read_text(encoding="utf-8")
    assert jsonl.read_part(path).header.undocumented == ()


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == undocumented.page(), "run: python docs/generated.py"
