"""The one screen at the end of a run, by which a reader decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.findings import Finding, Impact, Level, Verdict
from harness.judging.power import Doubt, Exempt, Power
from harness.judging.verdicts import Row, fails_the_run, held_to
from harness.record.header import Header
from harness.report.line import Line, Style
from harness.report.screen import NARROWEST, losses, render
from harness.report.summary import Summary

Rows = Callable[..., Row]
Show = Callable[..., list[str]]


@pytest.fixture
def show(header: Header) -> Show:
    def make(rows: Sequence[Row], width: int = NARROWEST, **changes: Any) -> list[str]:
        values: dict[str, Any] = {"selected": len(rows), "header": header, **changes}
        summary = Summary(rows=rows, rerun=lambda row: f"again {row.requirement}", **values)
        return [line.text for line in render(summary, width)]

    return make


def answer(shown: Sequence[str]) -> str:
    (start,) = (n for n, line in enumerate(shown) if line.startswith("answer"))
    lines = [shown[start][11:], *shown[start + 1 : shown.index("", start)]]
    return " ".join(line.strip() for line in lines)


def many(row: Rows) -> list[Row]:
    """More of everything than fits."""
    long = "What is said of it goes on and on, and says many things one after the other. " * 4
    rows = [row("events.fine.present")]
    for number, impact in enumerate(list(Impact) * 3):
        name = f"events.thing_{number}"
        finding = Finding("1" * 300, "日本語 " * 60, "here")
        rows += [
            row(f"{name}.a", Verdict.FAIL, impact=impact, findings=(finding,), statement=long),
            row(f"{name}.b", Verdict.KNOWN, impact=impact, reason=f"{number} {long}", advice=long),
            row(f"{name}.c", Verdict.NOT_EXERCISED, reason=f"{number} {long}"),
            row(f"{name}.d", Verdict.ERROR, reason=long),
            row(f"{name}.e", Verdict.FIXED),
        ]
    return rows


def test_all_kept(show: Show, row: Rows) -> None:
    shown = show([row("a.b"), row("a.c")])
    assert answer(shown) == "keeps its promises: all 2 that were exercised"
    assert shown[-1] == "OK: no deviation was seen"


def test_what_people_lose_is_counted(show: Show, row: Rows) -> None:
    rows = [
        row("a.a"),
        row("a.b", Verdict.KNOWN, impact=Impact.LOSS, reason="Lost.", advice="Wait for 2.1.47."),
        row("a.c", Verdict.KNOWN, impact=Impact.LOSS, reason="Lost.", advice="Wait for 2.1.47."),
        row("a.d", Verdict.KNOWN, impact=Impact.PRIVACY, reason="It leaks.", advice="Drop it."),
        row("a.e", Verdict.FAIL, impact=Impact.FORM, level=Level.SHOULD),
    ]
    shown = show(rows)
    assert answer(shown) == "keeps its promises but for 4 of 5: privacy, loss of data, form"
    start = next(n for n, line in enumerate(shown) if line.startswith("what people lose"))
    assert [line.split() for line in shown[start + 1 : start + 4]] == [
        ["privacy", "·", "1"],
        ["loss", "of", "data", "·", "2"],
        ["form", "1", "·"],
    ]
    start = shown.index("listed deviations (3)")
    assert shown[start + 1 : start + 5] == [
        "  privacy: It leaks.",
        "    do    Drop it.",
        "  loss of data: Lost. (2 promises)",
        "    do    Wait for 2.1.47.",
    ]


def test_a_broken_promise_says_what_was_seen(show: Show, row: Rows) -> None:
    broken = row("a.b", Verdict.FAIL, impact=Impact.PRIVACY, advice="Do not roll it out.")
    listed = row("a.c", Verdict.KNOWN, impact=Impact.LOSS)
    shown = show([row("a.a"), broken, listed])
    assert answer(shown) == "BROKEN: 1 of 3 promises, beside 1 listed deviations: privacy"
    start = shown.index("broken promises (1)")
    assert shown[start + 1 : start + 4] == [
        "  privacy: What a.b says.",
        '    seen  "1" (string); expected 1 (integer)',
        "    do    Do not roll it out.",
    ]
    assert shown[-1] == "FAILED: 1 of 3 requirements fail the run"


def test_the_worst_comes_first_and_of_each_grave_impact_one(show: Show, row: Rows) -> None:
    order = [*([Impact.FORM] * 2), *([Impact.LOSS] * 5), Impact.NUMBERS, Impact.PRIVACY]
    rows = [
        row(f"a.b{n}", Verdict.KNOWN, impact=impact, reason=f"{impact} {n}.")
        for n, impact in enumerate(order)
    ]
    shown = show(rows)
    told = [
        line.partition(":")[0].strip() for line in shown if line.startswith("  ") and ":" in line
    ]
    assert told == ["privacy", "loss of data", "loss of data", "wrong numbers"]
    assert "listed deviations (9), the worst of 9 kinds" in shown


def test_many_promises_of_one_kind_weigh_more(row: Rows) -> None:
    rows = [
        row("a.a", Verdict.KNOWN, impact=Impact.LOSS, reason="One."),
        *(
            row(f"a.b{n}", Verdict.KNOWN, impact=Impact.LOSS, reason="Two.", level=Level.SHOULD)
            for n in range(2)
        ),
    ]
    assert [loss.sentence for loss in losses(rows, lambda each: each.reason)] == ["Two.", "One."]


def test_a_record_of_before_has_the_impact_of_its_names(show: Show, row: Rows) -> None:
    shown = show([row("privacy.api_key", Verdict.KNOWN), row("a.b")])
    assert answer(shown) == "keeps its promises but for 1 of 2: privacy"


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_no_line_wraps_and_it_fits_one_screen(show: Show, row: Rows, width: int) -> None:
    shown = show(many(row), width, problem="what went wrong\n" * 40, listing="own.json")
    assert max(map(len, shown)) <= max(width, NARROWEST)
    assert all(line.isprintable() for line in shown)
    assert not any("日" in line for line in shown)  # two columns each: written with escapes
    assert 24 <= len(shown) <= 44


def test_nothing_exercised_leaves_room_for_the_reason(show: Show, row: Rows) -> None:
    shown = show([row("a.b", Verdict.NOT_EXERCISED)], problem="claude hung\n" + "waiting\n" * 12)
    assert answer([*shown[:3], ""]) == "not known: nothing was exercised"
    assert shown.count("waiting") == 12


def test_an_answer_by_few_promises_says_so(show: Show, row: Rows) -> None:
    idle = [row(f"a.c{n}", Verdict.NOT_EXERCISED) for n in range(3)]
    shown = show([row("a.b"), *idle])
    assert answer(shown) == (
        "keeps its promises: all 1 that were exercised (3 more were not exercised)"
    )


def test_what_was_not_seen_is_counted_by_what_people_would_lose(show: Show, row: Rows) -> None:
    rows = [
        row("a.b"),
        row("a.c", Verdict.NOT_EXERCISED, reason="no prompt", impact=Impact.LOSS),
        row("a.d", Verdict.NOT_EXERCISED, reason="no prompt", impact=Impact.PRIVACY),
        row("a.e", Verdict.NOT_EXERCISED, reason="no tool", impact=Impact.LOSS),
    ]
    shown = show(rows)
    start = next(n for n, line in enumerate(shown) if line.startswith("not seen"))
    assert [line.split(maxsplit=2)[-1] for line in shown[start : start + 1]] == [
        "3 promises: privacy 1, loss of data 2"
    ]
    assert [line.strip() for line in shown[start + 1 : start + 3]] == [
        "2 not exercised: no prompt",
        "1 not exercised: no tool",
    ]
    one_reason = show([rows[0], rows[1], rows[2]])
    assert "not seen   2 not exercised: no prompt" in one_reason


def test_what_is_not_the_subjects_fault_is_not_called_broken(show: Show, row: Rows) -> None:
    rows = [row("a.b"), row("a.c", Verdict.ERROR, reason="the machine was too busy")]
    assert answer(show(rows)) == (
        "not known for 1 of 2 promises, which could not be judged; of the others no MUST is "
        "broken that is not listed"
    )
    gone = show([row("a.b"), row("a.c", Verdict.FIXED)])
    assert answer(gone) == (
        "better than is listed: 1 deviations are gone, and the list is to be mended"
    )
    assert gone[-1] == "FAILED: 1 of 2 requirements fail the run"
    undriven = answer(show(rows, undriven=1))
    assert undriven.startswith("BROKEN: 1 of 2 requirements fail the run; 1 run could not")


def test_a_broken_off_run_has_no_answer(show: Show, row: Rows) -> None:
    shown = show([row("a.b")], selected=3)
    assert answer(shown) == "not known: the run was broken off"
    assert shown[-1] == "broken off: 1 of 3 requirements were judged"


def test_what_was_written_is_named_whole(show: Show, row: Rows) -> None:
    path = f"record     /{'long/' * 40}record.jsonl"
    assert path in show([row("a.b")], written=[path])
    assert any("--cc-report=DIR" in line for line in show([row("a.b")]))


def test_an_impact_that_was_asked_for_fails_the_run(row: Rows) -> None:
    listed = row("a.b", Verdict.KNOWN, impact=Impact.PRIVACY, level=Level.MAY)
    should = row("a.c", Verdict.FAIL, impact=Impact.PRIVACY, level=Level.SHOULD)
    other = row("a.d", Verdict.KNOWN, impact=Impact.FORM)
    accepted = replace(listed, listed_in="own.json")
    kept = row("a.e", impact=Impact.PRIVACY)
    held = [held_to(each, {Impact.PRIVACY}) for each in (listed, should, other, accepted, kept)]
    assert list(map(fails_the_run, held)) == [True, True, False, False, False]
    assert not any(map(fails_the_run, (listed, should)))


def test_the_answer_has_the_style_of_its_meaning(header: Header, row: Rows) -> None:
    for verdict, style in ((Verdict.PASS, Style.GOOD), (Verdict.FAIL, Style.BAD)):
        summary = Summary(header, [row("a.b", verdict)], 1, lambda row: "")
        assert any(
            line.style is style for line in render(summary) if line.text.startswith("answer")
        )
    assert Line("x").style is Style.PLAIN


def test_what_became_of_lies(show: Show, row: Rows) -> None:
    told = "power      of 9 promises kept, 9 would have failed a lie about this run"
    assert told in show([row("a.b")], power=Power(9, 9, 20, 0.5))
    doubted = (
        Exempt("a.c", Doubt.BLIND, "missed: a.c~1"),
        Exempt("a.b", Doubt.UNTOLD, "nothing carries it"),
    )
    shown = "\n".join(show([row("a.b")], power=Power(9, 7, 20, 0.5, doubted)))
    words = " ".join(shown.split())
    assert "9 promises kept, 7 would have failed a lie about this run; but 1: every lie" in words
    assert "missed: a.c" in words


def test_much_that_lies_show_takes_few_lines(show: Show, row: Rows) -> None:
    rows = many(row)
    doubted = tuple(Exempt("a.b" * 30, doubt, "x" * 300) for doubt in [*Doubt] * 9)
    without, shown = show(rows), show(rows, power=Power(99, 63, 200, 1.5, doubted))
    assert len(shown) <= len(without) + 4
    assert max(map(len, shown)) <= NARROWEST
