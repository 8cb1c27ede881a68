"""GitLab's code quality report: what it must have, and by what an entry is known again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.findings import Finding, Impact, Level, Verdict
from harness.judging.verdicts import Row
from harness.record.header import Header
from harness.report.code_quality import code_quality
from harness.report.summary import Summary

Rows = Callable[..., Row]
Entries = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def entries(header: Header) -> Entries:
    def make(*rows: Row) -> list[dict[str, Any]]:
        read: list[dict[str, Any]] = json.loads(
            code_quality(Summary(header, rows, len(rows), lambda row: ""))
        )
        return read

    return make


def by(found: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return [each[key] for each in found]


def test_the_worst_comes_first_and_what_is_listed_is_information(
    entries: Entries, row: Rows
) -> None:
    found = entries(
        row("a.kept"),
        row("a.listed", Verdict.KNOWN, impact=Impact.PRIVACY),
        row("a.form", Verdict.FAIL, impact=Impact.FORM),
        row("a.should", Verdict.FAIL, level=Level.SHOULD, impact=Impact.LOSS),
        row("a.secret", Verdict.FAIL, impact=Impact.PRIVACY),
        row("a.unseen", Verdict.NOT_EXERCISED),
    )
    assert by(found, "check_name") == ["a.secret", "a.should", "a.form", "a.listed"]
    assert by(found, "severity") == ["blocker", "critical", "minor", "info"]
    assert by(found, "location")[0] == {"path": "a.secret", "lines": {"begin": 1}}
    assert found[0]["description"] == 'What a.secret says. [MUST] Seen: "1" (string).'
    assert found[3]["description"].endswith("why known")


def test_each_impact_has_a_severity(entries: Entries, row: Rows) -> None:
    found = entries(*(row(f"a.{each.option}", Verdict.FAIL, impact=each) for each in Impact))
    assert {*by(found, "severity")} <= {"blocker", "critical", "major", "minor", "info"}
    assert len(found) == len(Impact)


def test_an_entry_is_known_again_whatever_was_seen(entries: Entries, row: Rows) -> None:
    first, second = (
        entries(
            row("a.b", Verdict.FAIL, findings=(Finding("1", seen, "x"),)), row("a.c", Verdict.FAIL)
        )
        for seen in ("2", "3")
    )
    assert by(first, "fingerprint") == by(second, "fingerprint")
    assert len({*by(first, "fingerprint")}) == 2
    assert by(first, "description") != by(second, "description")


def test_nothing_broken_is_an_empty_list(entries: Entries, row: Rows) -> None:
    assert entries(row("a.b")) == []
