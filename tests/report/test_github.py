"""What GitHub is told: workflow commands, and the page that is the summary of a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import pytest

from harness.findings import Finding, Impact, Level, Verdict
from harness.judging.verdicts import Row
from harness.record.header import Header
from harness.report import github
from harness.report.summary import Summary

Rows = Callable[..., Row]
Sum = Callable[..., Summary]

#: What GitHub takes of a step, in bytes.
LARGEST = 1 << 20

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


@pytest.fixture
def summed(header: Header) -> Sum:
    def make(rows: Sequence[Row], **changes: Any) -> Summary:
        values: dict[str, Any] = {"selected": len(rows), "header": header, **changes}
        return Summary(rows=rows, rerun=lambda row: f"again {row.requirement}", **values)

    return make


def read(commands: Sequence[str]) -> list[tuple[str, str, str]]:
    """Read workflow commands as GitHub does."""
    found = [COMMAND.fullmatch(command) for command in commands]
    assert all(found), commands
    return [(each[1], unquote(each[2]), unquote(each[3])) for each in found if each]


def test_the_worst_comes_first_and_what_only_warns_last(summed: Sum, row: Rows) -> None:
    rows = [
        row("a.kept"),
        row("a.form", Verdict.FAIL, impact=Impact.FORM),
        row("a.should", Verdict.FAIL, level=Level.SHOULD, impact=Impact.PRIVACY),
        row("a.listed", Verdict.KNOWN, impact=Impact.PRIVACY),
        row("a.secret", Verdict.FAIL, impact=Impact.PRIVACY, advice="Drop it."),
    ]
    told = read(github.commands(summed(rows)))
    assert [(kind, title) for kind, title, _ in told] == [
        ("error", "Telemetry of npm:2.1.31"),
        ("error", "privacy: a.secret"),
        ("error", "form: a.form"),
        ("warning", "privacy: a.should"),
    ]
    assert told[0][2] == "2 of 5 requirements fail the run."
    assert told[1][2].splitlines() == [
        "What a.secret says.",
        "expected 1 (integer)",
        'seen "1" (string)',
        "at grpc · a.secret",
        "Drop it.",
        "https://example.org/document#one",
        "again a.secret",
    ]


def test_nothing_is_said_of_a_run_that_is_well(summed: Sum, row: Rows) -> None:
    assert github.commands(summed([row("a.b"), row("a.c", Verdict.KNOWN)])) == []


def test_ten_at_most_and_the_last_counts_the_others(summed: Sum, row: Rows) -> None:
    rows = [row(f"a.n{n}", Verdict.FAIL, impact=Impact.LOSS) for n in range(30)]
    told = read(github.commands(summed(rows)))
    assert len(told) == github.MOST == 10
    assert told[-1] == ("notice", "and more", "22 more are in the summary of this step.")
    assert len(read(github.commands(summed(rows[:9])))) == 10


def test_promises_of_which_the_same_is_said_are_one(summed: Sum, row: Rows) -> None:
    rows = [row(f"a.n{n}", Verdict.FAIL, statement="It is so.") for n in range(3)]
    _, told = read(github.commands(summed(rows)))
    assert "Also: a.n1, a.n2" in told[2]


def test_nothing_that_was_seen_is_a_command(summed: Sum, row: Rows) -> None:
    evil = "100 %0A\r\n::set-env name=PATH::x\x1b[31m"
    rows = [row("a:b,c%", Verdict.FAIL, findings=(Finding("x", evil, "y"),))]
    _, (_, title, text) = read(github.commands(summed(rows, problem=evil)))
    assert title.endswith(": a:b,c%")
    assert "seen 100 %0A\\r\n::set-env name=PATH::x\\x1b[31m\n" in text
    long = [row("a.b", Verdict.FAIL, findings=(Finding("x", "%" * 100_000, "y"),))]
    assert all(len(command) < 15_000 for command in github.commands(summed(long)))


def test_a_run_that_was_broken_off_says_why(summed: Sum, row: Rows) -> None:
    summary = summed([row("a.b")], selected=2, problem="no space left")
    assert read(github.commands(summary)) == [
        (
            "error",
            "Telemetry of npm:2.1.31",
            "The run was broken off: 1 of 2 were judged.\nno space left",
        )
    ]


def test_a_summary_that_github_would_drop_is_cut(summed: Sum, row: Rows) -> None:
    assert github.step_summary(summed([row("a.b")])).startswith("# Telemetry of npm:2.1.31")
    many = [row(f"a.n{n}", Verdict.KNOWN, reason="é" * 1000) for n in range(1000)]
    text = github.step_summary(summed(many))
    assert 900_000 < len(text.encode()) <= LARGEST
    assert text.endswith("The rest is cut off: `--cc-report=DIR` writes all of it.\n")
    fenced = github.step_summary(summed([], problem="é" * 100 + "\n" + "line é\n" * 200_000))
    assert len(fenced.encode()) <= LARGEST
    assert len(re.findall("^```", fenced, re.MULTILINE)) % 2 == 0
