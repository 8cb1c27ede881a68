from __future__ import annotations

from pathlib import Path

from harness.assessment.assessment import catalogue
from harness.report.markdown import requirements

PAGE = Path(__file__).resolve().parents[2] / "docs" / "requirements.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == requirements(catalogue().requirements), (
        "run: python docs/generated.py"
    )


def test_every_requirement_has_one_row() -> None:
    wanted = catalogue("2.1.31").requirements[:7]
    page = requirements(wanted, "2.1.31")
    assert "7 promises for release 2.1.31.\n" in page
    for each in wanted:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{each.name}` |"))
        assert f"| [{each.source}]({each.source.url}) |" in row
        assert row.endswith(f"| {each.exercised_by} |")


def test_bars_do_not_break_the_table() -> None:
    page = requirements(catalogue().requirements)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
