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
PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("judge_a_release.md", "validate_a_collector.md")
}
LISTS = [
    (name, text)
    for name, page in PAGES.items()
    for text in re.findall(
        r"^```json\n(\{[^`]*\"deviations\"[^`]*)^```$", page, re.DOTALL | re.MULTILINE
    )
]


def test_both_kinds_of_subjects_have_an_example() -> None:
    assert [name for name, _ in LISTS] == list(PAGES)


@pytest.mark.parametrize(("name", "text"), LISTS)
def test_the_examples_are_lists_in_force(name: str, text: str) -> None:
    listing = parse_listing(text, name)
    job = CLAUDE if listing.names_releases else COLLECTOR
    contract = job.contract("2.1.332")
    promised = [requirement.name for requirement in contract.requirements]
    day = date(2026, 12, 1)
    found = load_expectations(
        contract.version, names=promised, own=listing, packaged=job is CLAUDE, today=day
    )
    listed = [each for entry in listing.deviations for each in entry.get("requirements", ())]
    assert [each for each in listed if found.get(each) is None] == []
    assert listed


def test_every_field_of_an_entry_is_explained() -> None:
    section = PAGES["judge_a_release.md"].partition("## Accept what you know")[2]
    explained = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    schema = (ROOT / "schemas" / "expectations.schema.json").read_text(encoding="utf-8")
    fields = set(re.findall(r"`(\w+)`", " ".join(explained))) | {"of", "old", "new", "silent"}
    deviations = schema[schema.index('"deviations"') :]
    described = re.findall(r'^          "(\w+)": \{$', deviations, re.MULTILINE)
    assert fields - {"newest_measured"} == set(described)
