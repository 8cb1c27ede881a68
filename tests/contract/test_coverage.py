"""The page that maps each statement of the documents to requirements, and what its data lacks."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from coverage_page import DATA, Coverage, Statement, numbers, page, problems, stands_for
from jsonschema import ValidationError

from harness.assessment.assessment import catalogue

REQUIREMENTS = catalogue().requirements


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage.read()


def test_nothing_is_missing_and_nothing_is_made_up(coverage: Coverage) -> None:
    found = problems(coverage, REQUIREMENTS)
    assert not found, "\n".join(found)


def test_the_committed_page_is_the_generated_one(coverage: Coverage) -> None:
    written = DATA.with_suffix(".md").read_text(encoding="utf-8")
    assert written == page(coverage, REQUIREMENTS), "run: python docs/generated.py"


def test_the_documents_that_promise_the_telemetry_are_mapped(coverage: Coverage) -> None:
    assert set(coverage.sections) == {
        "monitoring-2026-02",
        "monitoring-2026-08",
        "monitoring-2026-10",
        "changelog",
    }
    assert set(coverage.text) == set(coverage.sections) - {"monitoring-2026-10"}


def test_statements_stand_in_the_order_of_the_text(coverage: Coverage) -> None:
    # Not those of the changelog: its newest release comes first, and one was read apart.
    for document in set(coverage.text) - {"changelog"}:
        lines = [each.span.start for each in coverage.of(document)]
        assert all(lines), document
        assert lines == sorted(lines), document


def without(coverage: Coverage, unwanted: Statement) -> Coverage:
    kept = tuple(each for each in coverage.statements if each != unwanted)
    return replace(coverage, statements=kept)


def only_of(coverage: Coverage, document: str, says: str) -> Statement:
    (found,) = [each for each in coverage.of(document) if each.says == says]
    return found


def test_a_statement_that_is_lost_is_told_of(coverage: Coverage) -> None:
    lost = only_of(coverage, "monitoring-2026-02", "Console, every second")
    adding, *lines = problems(without(coverage, lost), REQUIREMENTS)
    assert "monitoring-2026-02: add examples.console to the `held` of the statement" in adding
    assert "'Example configurations'" in adding
    told = {int(re.findall(r"line (\d+) of the text has no statement", line)[0]) for line in lines}
    assert told == coverage.text["monitoring-2026-02"] & set(lost.span)


def test_a_name_that_no_requirement_has_is_told_of(coverage: Coverage) -> None:
    made_up = Statement("changelog", "2.1.41", "Made up", held=("events.*.colour",))
    changed = replace(coverage, statements=(*coverage.statements, made_up))
    assert problems(changed, REQUIREMENTS) == [
        "docs/coverage.json, changelog, '2.1.41', 'Made up': no requirement is called "
        "events.*.colour"
    ]


def test_a_section_that_is_lost_is_told_of(coverage: Coverage) -> None:
    unchanged = {**coverage.unchanged, "monitoring-2026-10": ()}
    found = problems(replace(coverage, unchanged=unchanged), REQUIREMENTS)
    assert len(found) == len(coverage.unchanged["monitoring-2026-10"]) > 0
    assert all("add the section" in each for each in found)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param('{"says": "Something"}', id="neither held nor explained"),
        pytest.param('{"says": "Something", "held": ["a.b"], "why": "open"}', id="not said what"),
        pytest.param('{"says": "Something", "why": "offline"}', id="not said why"),
        pytest.param('{"says": "Something", "why": "later"}', id="no such reason"),
    ],
)
def test_each_statement_is_held_or_explained(tmp_path: Path, statement: str) -> None:
    text = DATA.with_suffix(".schema.json").read_text(encoding="utf-8")
    (tmp_path / "coverage.schema.json").write_text(text, encoding="utf-8")
    data = tmp_path / "coverage.json"
    sections = f'{{"2.1.41": [{statement}]}}'
    data.write_text(f'{{"documents": {{"changelog": {{"sections": {sections}}}}}}}', "utf-8")
    with pytest.raises(ValidationError):
        Coverage.read(data)


def test_a_star_stands_for_one_part_of_a_name() -> None:
    assert stands_for("events.*.speed.*", "events.api_request.speed.value")
    assert stands_for("tls.http_client_*", "tls.http_client_key")
    assert not stands_for("events.*", "events.api_request.speed")
    assert not stands_for("events.api", "events.api_request")


def test_lines_are_one_or_several() -> None:
    assert list(numbers("7")) == [7]
    assert list(numbers("7-9")) == [7, 8, 9]


def test_the_page_counts_each_status(coverage: Coverage) -> None:
    held = Statement("changelog", "2.1.41", "All of it", held=("events.*.speed.*",))
    part = replace(held, says="Half of it", why="open", note="not in spans")
    none = Statement("changelog", "2.1.41", "None | of it", lines="3", why="open")
    small = Coverage((held, part, none), {"changelog": ("2.1.41",)}, {"changelog": ()}, {})
    text = page(small, REQUIREMENTS)
    assert "| Claude Code changelog (2026-08) | 3 | 1 | 1 | 1 | 0 | 0 | 0 |" in text
    assert "* 2.1.41: Half of it (not in spans); None | of it" in text
    assert r"| 3 | None \| of it | *not yet held* |" in text
    assert "| Half of it | `events.*.speed.*` (" in text
    assert "; *not yet held*: not in spans |" in text
