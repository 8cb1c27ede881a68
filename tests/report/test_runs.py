"""What a report says of runs and canaries: in the summary and in the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.contract.files import read_json, schema_root
from harness.errors import UsageError
from harness.findings import Verdict
from harness.judging.checks.canaries import Spot
from harness.judging.verdicts import Row
from harness.record import jsonl as record
from harness.record.header import CanaryTable, Header
from harness.record.jsonl import Footer, RunRecord
from harness.report.line import Line, Style
from harness.report.summary import Summary
from harness.report.terminal import render

Rows = Callable[..., Row]

RUNS = {"working_day over grpc": 2.25, "terminal_day over http/json": 12.04, "toolbox": 12.0}
TABLE = CanaryTable(
    ("closed", "prompts"),
    (
        Spot("api_key", "", {}),
        Spot("prompt", "logs user_prompt attributes.prompt", {"closed": False, "prompts": True}),
    ),
)
FOOTER = Footer(selected=1, deselected=0, failed=False, why="fine", exit_code=0)


def put(path: Path, header: Header, rows: list[Row], footer: Footer | None) -> None:
    """Write a record without runs."""
    record.write(path, RunRecord(header, rows=tuple(rows), footer=footer))


def shown(header: Header, rows: list[Row], **more: Any) -> list[Line]:
    values = {"selected": len(rows), "rerun": lambda row: f"again {row.requirement}", **more}
    return render(Summary(header=header, rows=rows, **values))


# --- the summary


def test_the_longest_run_is_named(header: Header) -> None:
    assert replace(header, runs=RUNS).critical_run == "terminal_day over http/json 12.0 s"
    assert replace(header, runs={"a over grpc": 0.04}).critical_run == "a over grpc 0.0 s"
    assert header.critical_run == ""


def test_the_summary_compares_with_what_cannot_be_avoided(header: Header, row: Rows) -> None:
    lines = [line.text for line in shown(replace(header, unavoidable_s=6.25), [row("a.b")])]
    assert "ratio      1.20: 7.5 s in all, of which 6.2 s are the longest unavoidable wait" in lines
    without = [line.text for line in shown(header, [row("a.b")])]
    assert not any(line.startswith("ratio") for line in without)


def test_the_record_keeps_the_ratio(header: Header, row: Rows, tmp_path: Path) -> None:
    waited = replace(header, unavoidable_s=6.25)
    path = tmp_path / record.FILE_NAME
    put(path, waited, [row("a.b")], replace(FOOTER, ratio=waited.ratio))
    found = record.read(path)
    assert found.header == waited
    assert found.footer is not None
    assert found.footer.ratio == 1.2


def test_the_summary_counts_runs(header: Header, row: Rows) -> None:
    lines = [line.text for line in shown(replace(header, runs=RUNS), [row("a.b")])]
    index = lines.index("runs       3, the longest: terminal_day over http/json 12.0 s")
    assert lines[index - 1].startswith("exports ")
    assert lines[index + 1].startswith("verdicts ")
    without = [line.text for line in shown(header, [row("a.b")])]
    assert not any(line.startswith("runs") for line in without)


def test_the_summary_shows_the_canaries(header: Header, row: Rows) -> None:
    lines = shown(replace(header, canaries=TABLE), [row("a.b")])
    (start,) = (n for n, line in enumerate(lines) if line.text.startswith("canaries (2 kinds"))
    assert lines[start - 1] == Line()
    assert [line.style for line in lines[start : start + 4]] == [
        Style.PLAIN,
        Style.PLAIN,
        Style.PLAIN,
        Style.CARE,
    ]
    assert lines[start + 4] == Line()
    assert not any(line.text.startswith("canaries") for line in shown(header, [row("a.b")]))


@pytest.mark.parametrize(
    ("undriven", "why"),
    [
        (1, "1 run could not be driven to the end"),
        (2, "2 runs could not be driven to the end"),
    ],
)
def test_runs_that_were_not_driven_fail_and_tell_why(
    header: Header, row: Rows, undriven: int, why: str
) -> None:
    problem = "toolbox over grpc: it hung\n\nlast screen:\n> _"
    lines = shown(header, [row("a.b")], problem=problem, undriven=undriven)
    start = lines.index(Line("toolbox over grpc: it hung", Style.BAD))
    assert lines[start - 1] == Line()
    assert [line.text for line in lines[start : start + 4]] == problem.split("\n")
    assert {line.style for line in lines[start : start + 4]} == {Style.BAD}
    assert lines[-1] == Line(f"FAILED: {why}", Style.BAD)
    assert shown(header, [row("a.b")])[-1].style is Style.GOOD


def test_a_failure_and_a_run_that_was_not_driven_are_both_told(header: Header, row: Rows) -> None:
    lines = shown(header, [row("a.b", Verdict.FAIL)], problem="it hung", undriven=1)
    assert lines[-1].text == (
        "FAILED: 1 of 1 requirements fail the run; 1 run could not be driven to the end"
    )


# --- the record


@pytest.fixture
def full(header: Header) -> Header:
    return replace(header, runs={"working_day over grpc": 2.25, "a": 0.0}, canaries=TABLE)


def test_runs_and_canaries_are_read_back(tmp_path: Path, full: Header, row: Rows) -> None:
    path = tmp_path / record.FILE_NAME
    put(path, full, [row("a.b")], FOOTER)
    assert record.read(path).header == full


def test_they_are_as_the_schema_says(tmp_path: Path, full: Header, row: Rows) -> None:
    path = tmp_path / record.FILE_NAME
    put(path, replace(full, runs={"a": 1.23456}), [row("a.b")], FOOTER)
    document = json.loads(path.read_text(encoding="utf-8").split("\n")[0])
    Draft202012Validator(read_json(schema_root() / "record.schema.json")).validate(document)
    assert document["runs"] == {"a": 1.235}
    assert document["canaries"] == {
        "gates": ["closed", "prompts"],
        "spots": [
            {"canary": "api_key", "place": "", "seen": {}},
            {
                "canary": "prompt",
                "place": "logs user_prompt attributes.prompt",
                "seen": {"closed": False, "prompts": True},
            },
        ],
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"working_day over grpc": 2.25', '"working_day over grpc": -1'),
        ('"working_day over grpc": 2.25', '"working_day over grpc": "2.25"'),
        ('"closed": false', '"closed": "no"'),
        ('"gates": ["closed", "prompts"]', '"gates": [""]'),
        ('"canary": "api_key", ', ""),
        ('"canary": "api_key"', '"canary": ""'),
        ('"spots"', '"places"'),
    ],
)
def test_what_is_wrong_with_them_is_refused(
    tmp_path: Path, full: Header, row: Rows, old: str, new: str
) -> None:
    path = tmp_path / record.FILE_NAME
    put(path, full, [row("a.b")], FOOTER)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=r"line 1: .*a line of a record"):
        record.read(path)
