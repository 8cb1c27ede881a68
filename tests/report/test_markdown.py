from __future__ import annotations

from pathlib import Path

import pytest

from harness.assessment.assessment import catalogue
from harness.assessment.jobs import COLLECTOR
from harness.report.markdown import collector_requirements, requirements

DOCS = Path(__file__).resolve().parents[2] / "docs"
OF_A_COLLECTOR = COLLECTOR.contract("0.0.0").requirements


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("requirements.md", requirements(catalogue().requirements)),
        ("collector_requirements.md", collector_requirements(OF_A_COLLECTOR)),
    ],
)
def test_the_committed_page_is_the_generated_one(name: str, page: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == page, "run: python docs/generated.py"


def test_every_requirement_has_one_row() -> None:
    wanted = catalogue("2.1.31").requirements[:7]
    page = requirements(wanted, "2.1.31")
    assert "7 promises for release 2.1.31.\n" in page
    for each in wanted:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{each.name}` |"))
        assert f"| [{each.source}]({each.source.url}) |" in row
        assert row.endswith(f"| {each.exercised_by} |")


def test_every_requirement_of_a_collector_has_one_row() -> None:
    page = collector_requirements(OF_A_COLLECTOR)
    assert f"\n{len(OF_A_COLLECTOR)} promises.\n" in page
    for each in OF_A_COLLECTOR:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{each.name}` |"))
        protocols = ", ".join(each.protocols) or "all"
        assert row.endswith(f"| {protocols} | {each.exercised_by} |")


def test_bars_do_not_break_the_table() -> None:
    page = requirements(catalogue().requirements)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
