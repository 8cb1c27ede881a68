"""What is sent of a run: what is declared, no more and no less, and so says docs/telemetry.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.findings import Finding, Level, Verdict
from harness.judging.verdicts import Row, fails_the_run
from harness.record.run_record import RunRecord
from harness.report import telemetry

Rows = Callable[..., Row]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "telemetry.md"


def plain(attributes: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in attributes
    }


def points(record: RunRecord, exit_code: int = 1) -> Iterator[tuple[str, float, dict[str, Any]]]:
    (group,) = telemetry.metrics(record, exit_code).resource_metrics
    for metric in group.scope_metrics[0].metrics:
        for point in metric.gauge.data_points:
            value = getattr(point, str(point.WhichOneof("value")))
            yield metric.name, value, plain(point.attributes)


def sent(record: RunRecord, exit_code: int = 1) -> list[Any]:
    return [
        event
        for request in telemetry.events(record, exit_code)
        for event in request.resource_logs[0].scope_logs[0].log_records
    ]


def test_only_what_is_declared_is_sent_and_all_of_it(stored: RunRecord, row: Rows) -> None:
    rows = (*stored.rows, row("a.gone", Verdict.FIXED), row("a.odd", Verdict.ERROR))
    header = replace(stored.header, runs={"day over grpc": 1.5})
    record = replace(stored, header=header, rows=rows)
    seen: dict[str, set[str]] = {}
    for name, _, attributes in points(record):
        seen.setdefault(name, set()).update(attributes)
    for event in sent(record):
        seen.setdefault(event.event_name, set()).update(plain(event.attributes))
    declared = {**telemetry.METRICS, **telemetry.EVENTS}
    assert seen == {name: {*each.attributes} for name, each in declared.items()}
    for request in telemetry.requests(record, 1):
        ((_, (group,)),) = request.ListFields()
        assert [*plain(group.resource.attributes)] == [*telemetry.RESOURCE.attributes]


def test_the_page_says_what_is_sent() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE)
    told = {
        name: telemetry.Declared(says, tuple(re.findall("`([^`]+)`", names)), unit.strip("` "))
        for name, unit, says, names in rows
    }
    assert told == {**telemetry.METRICS, **telemetry.EVENTS}
    for name in telemetry.RESOURCE.attributes:
        assert f"`{name}`" in text


def test_requirements_are_counted_once(stored: RunRecord) -> None:
    found = [(n, told) for name, n, told in points(stored) if name == "cc_otel.requirements"]
    assert sum(number for number, _ in found) == len(stored.rows)
    assert {told["cc_otel.verdict"] for _, told in found} == {r.verdict for r in stored.rows}
    first = {
        "cc_otel.verdict": "fail",
        "cc_otel.impact": "privacy",
        "cc_otel.theme": "privacy",
    }
    assert (1, first) in found


def test_each_session_has_its_time(stored: RunRecord) -> None:
    header = replace(stored.header, runs={"day over grpc": 1.5, "day over http/json": 2.5})
    found = [
        (told["cc_otel.scenario"], told["cc_otel.protocol"], value)
        for name, value, told in points(replace(stored, header=header))
        if name == "cc_otel.scenario.duration"
    ]
    assert found == [("day", "grpc", 1.5), ("day", "http/json", 2.5)]


def test_one_event_for_each_finding(row: Rows, stored: RunRecord) -> None:
    findings = tuple(Finding("1", f"saw {n}", "x") for n in range(1200))
    record = replace(stored, rows=(row("a.b", Verdict.FAIL, findings=findings), row("a.c")))
    run, *events = sent(record)
    assert run.event_name == "cc_otel.run"
    assert (run.severity_text, plain(run.attributes)["process.exit.code"]) == ("ERROR", 1)
    assert [plain(each.attributes)["cc_otel.seen"] for each in events] == [
        finding.seen for finding in findings
    ]
    assert len([*telemetry.events(record, 1)]) == 3


@pytest.mark.parametrize(
    ("verdict", "level", "severity"),
    [
        (Verdict.FAIL, Level.MUST, "ERROR"),
        (Verdict.FAIL, Level.SHOULD, "WARN"),
        (Verdict.KNOWN, Level.MUST, "INFO"),
    ],
)
def test_how_grave_an_event_is(
    row: Rows, stored: RunRecord, verdict: Verdict, level: Level, severity: str
) -> None:
    made = row("a.b", verdict, level=level)
    _, event = sent(replace(stored, rows=(made,)), 0)
    assert event.severity_text == severity
    assert plain(event.attributes)["cc_otel.fails_the_run"] is fails_the_run(made)


def test_a_run_that_was_broken_off_says_so(stored: RunRecord) -> None:
    run, *_ = sent(replace(stored, footer=None), 2)
    assert run.body.string_value == "the run was broken off"
    assert "cc_otel.requirements.selected" not in plain(run.attributes)
