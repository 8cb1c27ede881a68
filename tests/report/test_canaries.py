"""The canary table as a reader sees it."""

from __future__ import annotations

from harness.judging.checks.canaries import Spot
from harness.record.header import CanaryTable
from harness.report.canaries import render
from harness.report.line import Line, Style


def table(*spots: Spot, gates: tuple[str, ...] = ("closed", "prompts")) -> list[Line]:
    return list(render(CanaryTable(gates, spots)))


def test_without_canaries_there_is_no_table() -> None:
    assert table() == []
    assert list(render(CanaryTable())) == []


def test_rows_and_columns() -> None:
    lines = table(
        Spot("api_key", "", {}),
        Spot("prompt", "logs user_prompt attributes.prompt", {"prompts": True}),
        Spot("prompt", "traces work", {"closed": True, "prompts": True}),
    )
    assert [line.text for line in lines] == [
        "canaries (2 kinds of private text, looked for in every byte of every run: "
        "● seen where it may be, ✗ where it must not, · not seen)",
        "  canary   place                               closed  prompts",
        "  api key  nowhere                             ·       ·",
        "  prompt   logs user_prompt attributes.prompt  ·       ●",
        "  prompt   traces work                         ●       ●",
    ]
    assert {line.style for line in lines} == {Style.PLAIN}


def test_a_forbidden_sighting_stands_out() -> None:
    fine, bad = table(
        Spot("prompt", "here", {"closed": True, "prompts": True}),
        Spot("prompt", "there", {"closed": False, "prompts": True}),
    )[2:]
    assert fine == Line("  prompt  here   ●       ●", Style.PLAIN)
    assert bad == Line("  prompt  there  ✗       ●", Style.CARE)


def test_columns_are_the_gates_that_were_run() -> None:
    lines = table(
        Spot("skill_name", "here", {"details": False}),
        gates=("closed", "details", "prompts+details"),
    )
    assert lines[1].text.split() == ["canary", "place", "closed", "details", "prompts+details"]
    assert lines[2].text.split() == ["skill", "name", "here", "·", "✗", "·"]
    assert [line.text for line in table(Spot("prompt", "here", {}), gates=())][1:] == [
        "  canary  place",
        "  prompt  here",
    ]
