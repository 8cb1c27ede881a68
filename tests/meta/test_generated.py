"""The pages that are made of the code and the schemas are those that would be made now."""

from __future__ import annotations

from pathlib import Path

import found_page
import pytest
import reference_page
import schema_page

from harness.assessment.job import CLAUDE
from harness.findings import Impact
from harness.judging.expectations import packaged_list
from harness.judging.listing import packaged_listing

DOCS = Path(__file__).resolve().parents[2] / "docs"
CATALOGUE = CLAUDE.contract("0.0.0").requirements
MADE = {
    "what_we_found.md": lambda: found_page.page(CATALOGUE),
    "commands.md": reference_page.commands,
    "fixtures.md": reference_page.fixtures,
    "schemas.md": schema_page.schemas,
    "record.md": schema_page.record,
}


@pytest.mark.parametrize("name", MADE)
def test_the_committed_page_is_the_generated_one(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == MADE[name](), (
        "run: python docs/generated.py"
    )


def test_every_listed_deviation_is_on_the_page_once() -> None:
    found = found_page.found({each.name: each for each in CATALOGUE})
    told = sorted((name, one.reason) for one in found for name in one.names)
    assert told == sorted((each.requirement, each.reason) for each in packaged_list())
    order = list(Impact)
    assert [order.index(one.impact) for one in found] == sorted(
        order.index(one.impact) for one in found
    )


def test_every_listed_deviation_says_what_to_do() -> None:
    """What its impact advises would be said of any other deviation as well."""
    silent = [entry["reason"] for entry in packaged_listing().deviations if "advice" not in entry]
    assert silent == []
