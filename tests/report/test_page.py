"""The summary of a run as a Markdown page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.findings import Finding, Level, Verdict
from harness.judging.entries import EntryState, EntryTold
from harness.judging.power import Doubt, Exempt, Power
from harness.judging.verdicts import Row
from harness.record.header import Header
from harness.report import page, terminal
from harness.report.summary import Summary

Rows = Callable[..., Row]
Show = Callable[..., list[str]]


@pytest.fixture
def show(header: Header) -> Show:
    """Render rows as the lines of a page; all of them were selected unless changed."""

    def make(rows: Sequence[Row], **changes: Any) -> list[str]:
        values: dict[str, Any] = {"selected": len(rows), "header": header, **changes}
        summary = Summary(rows=rows, rerun=lambda row: f"again {row.requirement}", **values)
        return page.page(summary).splitlines()

    return make


def test_the_decision_comes_first(show: Show, row: Rows) -> None:
    lines = show([row("a.b"), row("a.c", Verdict.FAIL)])
    assert lines[:7] == [
        "# Telemetry of npm:2.1.31 (claude 2.1.31)",
        "",
        "**FAILED**: 1 of 2 requirements fail the run.",
        "",
        "| pass | fail |",
        "| --- | --- |",
        "| 1 | 1 |",
    ]
    assert show([row("a.b")])[2] == "**OK**: no MUST is broken, listed deviations aside."
    assert show([row("a.b")], selected=2)[2] == "**Broken off**: 1 of 2 requirements were judged."


def test_a_failure_is_told_with_its_evidence_and_whether_it_is_new(show: Show, row: Rows) -> None:
    finding = Finding("1", "a ``` fence", "grpc · a.c")
    news = "new in this release: 2.1.332 keeps the promise"
    lines = show(
        [row("a.c", Verdict.FAIL, findings=(finding,), news=news), row("a.d", Verdict.FAIL)]
    )
    start = lines.index("### FAIL `a.c` (new in this release)")
    block = lines[start + 2 : lines.index("````", start) + 1]
    assert block[0] == "````text"
    assert "  seen      a ``` fence" in block
    assert f"  news      {news}" in block
    assert "  rerun     again a.c" in block
    assert "### FAIL `a.d`" in lines


def test_what_does_not_fail_is_told_behind(show: Show, row: Rows) -> None:
    lines = show(
        [
            row("a.good", news="a deviation is gone: It was `<b>`."),
            row("a.should", Verdict.FAIL, level=Level.SHOULD),
            row("a.known", Verdict.KNOWN, reason="It is so.", listed_in="own.json"),
        ],
        notes=["record     here"],
        listing="own.json",
        entries=[
            EntryTold("a.old", EntryState.EXPIRED, "accepted until 2027-01-01"),
            EntryTold("a.known", EntryState.SEEN, "It is so."),
        ],
    )
    headings = [line for line in lines if line.startswith(("## ", "<details>"))]
    assert headings == [
        "## Good news: deviations that are gone in this release (1)",
        "## Not as it SHOULD be, without failing the run (1)",
        "## own.json",
        "<details><summary>Known deviations, seen again (1)</summary>",
    ]
    assert r"* `a.good`: a deviation is gone: It was \`&lt;b&gt;\`." in lines
    assert "* `a.known`: It is so. (listed in own.json)" in lines
    assert "1 expired, 1 seen again." in lines
    assert "* expired: `a.old` (accepted until 2027-01-01)" in lines
    assert "record     here" in lines


def test_of_many_failures_the_record_holds_the_rest(show: Show, row: Rows) -> None:
    lines = show([row(f"a.n{number}", Verdict.FAIL) for number in range(60)])
    assert sum(line.startswith("### ") for line in lines) == 50
    assert "And 10 more: the record holds all." in lines


def test_the_terminal_tells_of_a_list_as_well(header: Header, row: Rows) -> None:
    entries = [
        EntryTold("a.gone", EntryState.GONE, "take it off the list"),
        EntryTold("a.known", EntryState.SEEN, "It is so."),
    ]
    summary = Summary(header, [row("a.b")], 1, str, listing="own.json", entries=entries)
    lines = [line.text for line in terminal.render(summary)]
    assert "own.json: 1 gone · 1 seen again" in lines
    assert "  gone: a.gone (take it off the list)" in lines
    assert not [line for line in lines if "a.known" in line]
    unlisted = Summary(header, [row("a.b")], 1, str, listing="own.json")
    assert "own.json: no requirement is listed" in [line.text for line in terminal.render(unlisted)]


def test_what_became_of_lies_is_told_whole(show: Show, row: Rows) -> None:
    doubted = (Exempt("a.b", Doubt.BLIND, "missed: a.b~1"), Exempt("a.c", Doubt.UNTOLD, "<none>"))
    lines = show([row("a.b")], power=Power(3, 1, 5, 0.1, doubted))
    start = lines.index("## Power: lies about this run")
    assert lines[start + 2 : start + 8] == [
        "Of 3 promises kept, 1 would have failed a lie about this run.",
        "",
        "* every lie was missed (1):",
        "  * `a.b`: missed: a.b~1",
        "* no lie can be told about this run (1):",
        "  * `a.c`: &lt;none&gt;",
    ]
    assert not any("lies about" in line for line in show([row("a.b")]))
