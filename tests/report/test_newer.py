"""What a reader learns of a newer release, who sees the deviations of an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.contract.versions import Version, VersionRange
from harness.findings import Verdict
from harness.judging.expectations import Expectation
from harness.judging.verdicts import Row
from harness.record.header import COLLECTOR, Header
from harness.report import newer
from harness.report.screen import render
from harness.report.summary import Summary


def entry(name: str, since: str, until: str = "") -> Expectation:
    versions = VersionRange(Version.parse(since), Version.parse(until) if until else None)
    return Expectation(name, versions, "why", "how", newest_measured=Version(2, 1, 332))


LISTED = [
    entry("a.gone", "2.1.31", "2.1.47"),
    entry("a.still", "2.1.31"),
    entry("a.again", "2.1.31", "2.1.40"),
    entry("a.again", "2.1.50"),
    entry("a.came", "2.1.240"),
]


@pytest.mark.parametrize(
    ("names", "version", "told"),
    [
        (
            {"a.gone", "a.still", "a.again"},
            "2.1.31",
            "2.1.332, the newest that was measured, is without 1 of these, and has 1 others",
        ),
        ({"a.still"}, "2.1.300", "2.1.332, the newest that was measured, is without 0 of these"),
        (
            {"a.still"},
            "2.1.332",
            "no newer release was measured: none is known to be without these",
        ),
        ({"a.still"}, "2.1.400", ""),
        ({"somebody.elses"}, "2.1.31", ""),
    ],
)
def test_what_is_told(names: set[str], version: str, told: str) -> None:
    assert newer.since_then(names, Version.parse(version), LISTED) == told


def test_the_screen_tells_it_by_our_list(header: Header, row: Callable[..., Row]) -> None:
    listed = row("metrics.session_count.exported", Verdict.KNOWN)
    old = replace(header, subject=replace(header.subject, version="2.1.31"))
    collector = replace(old, job=COLLECTOR)
    for told_of, rows, times in (
        (old, [listed], 1),
        (old, [replace(listed, listed_in="own.json")], 0),
        (collector, [listed], 0),
    ):
        shown = render(Summary(told_of, rows, 1, lambda each: ""))
        found = [line.text for line in shown if line.text.startswith("newer")]
        assert len(found) == times
        assert all("is without 1 of these" in text for text in found)
