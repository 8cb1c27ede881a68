"""The lists of accepted deviations that our documents show can be used."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from harness.assessment.job import CLAUDE, COLLECTOR
from harness.judging.expectations import load_expectations
from harness.judging.listing import parse_listing

ROOT = Path(__file__).resolve().parents[2]
LISTS = re.findall(
    r"^```json\n(\{[^`]*\"deviations\"[^`]*)^```$",
    (ROOT / "README.md").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)


def test_both_kinds_of_subjects_have_an_example() -> None:
    assert len(LISTS) == 2


@pytest.mark.parametrize("text", LISTS)
def test_the_examples_are_lists_in_force(text: str) -> None:
    listing = parse_listing(text, "README.md")
    job = CLAUDE if listing.names_releases else COLLECTOR
    contract = job.contract("2.1.332")
    names = [requirement.name for requirement in contract.requirements]
    day = date(2026, 12, 1)
    found = load_expectations(
        contract.version, names=names, own=listing, packaged=job is CLAUDE, today=day
    )
    listed = [name for entry in listing.deviations for name in entry.get("requirements", ())]
    assert [name for name in listed if found.get(name) is None] == []
    assert listed


def test_every_field_of_an_entry_is_explained() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Accept what you know") : text.index("## Validate your")]
    explained = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    schema = (ROOT / "schemas" / "expectations.schema.json").read_text(encoding="utf-8")
    fields = set(re.findall(r"`(\w+)`", " ".join(explained))) | {"of", "old", "new", "silent"}
    deviations = schema[schema.index('"deviations"') :]
    described = re.findall(r'^          "(\w+)": \{$', deviations, re.MULTILINE)
    assert fields - {"newest_measured"} == set(described)
