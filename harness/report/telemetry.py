"""Render a run record as OTLP metrics and events, so that the harness itself can be watched.

``docs/telemetry.md`` holds what is declared here, and a test both to what is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from ..findings import Finding, Verdict
from ..judging.verdicts import Row, fails_the_run
from ..otlp.messages import ExportLogsServiceRequest, ExportMetricsServiceRequest, Request
from ..otlp.writing import put_attributes
from ..record.run_record import RunRecord
from .screen import impact
from .terminal import theme

SCOPE = "pytest-cc-otel"

#: Events in one request: collectors refuse bodies of some megabytes.
_MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Declared:
    """What is sent under a name: its meaning, its attributes, and the unit of a metric."""

    says: str
    attributes: tuple[str, ...] = ()
    unit: str = ""


RESOURCE = Declared(
    "who judged whom",
    (
        *("service.name", "service.version", "cc_otel.job"),
        *("cc_otel.subject", "cc_otel.subject.version"),
    ),
)

#: Every metric is a gauge: what the last run found, and no sum over runs.
METRICS: Mapping[str, Declared] = {
    "cc_otel.requirements": Declared(
        "requirements that were judged, by verdict, impact and theme",
        ("cc_otel.verdict", "cc_otel.impact", "cc_otel.theme"),
        "{requirement}",
    ),
    "cc_otel.run.duration": Declared("the whole run, from its start to its end", unit="s"),
    "cc_otel.run.failed": Declared("1 if the run failed, 0 if it did not", unit="1"),
    "cc_otel.recording.duration": Declared("the time in which sessions were recorded", unit="s"),
    "cc_otel.scenario.duration": Declared(
        "one recorded session", ("cc_otel.scenario", "cc_otel.protocol"), "s"
    ),
    "cc_otel.sessions": Declared(
        "planned sessions, by what became of them", ("cc_otel.outcome",), "{session}"
    ),
    "cc_otel.exports": Declared(
        "export requests that the subject sent", ("cc_otel.protocol",), "{request}"
    ),
}

_OF_A_ROW = (
    *("cc_otel.requirement", "cc_otel.verdict", "cc_otel.level", "cc_otel.impact"),
    *("cc_otel.theme", "cc_otel.fails_the_run", "cc_otel.reason", "url.full"),
)
EVENTS: Mapping[str, Declared] = {
    "cc_otel.run": Declared(
        "one a run; its body says why the run failed or did not",
        (
            *("cc_otel.failed", "cc_otel.requirements.selected"),
            *("cc_otel.requirements.judged", "process.exit.code"),
        ),
    ),
    "cc_otel.finding": Declared(
        "one for each finding, of what is listed too; its body is the promise",
        (
            *_OF_A_ROW,
            *("cc_otel.expected", "cc_otel.seen", "cc_otel.where", "cc_otel.scenario"),
        ),
    ),
    "cc_otel.trouble": Declared(
        "one for each requirement that fails the run without a finding: it could not be judged, or "
        "its listed deviation is gone",
        _OF_A_ROW,
    ),
}


def metrics(record: RunRecord, exit_code: int) -> ExportMetricsServiceRequest:
    """Return all metrics of a run."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    _put_resource(group.resource, record)
    scope = group.scope_metrics.add()
    scope.scope.name, scope.scope.version = SCOPE, record.header.tool
    made: dict[str, Any] = {}
    for name, value, attributes in _points(record, exit_code):
        if name not in made:
            told = METRICS[name]
            made[name] = scope.metrics.add(name=name, description=told.says, unit=told.unit)
        point = made[name].gauge.data_points.add(
            start_time_unix_nano=record.header.started_unix_nano,
            time_unix_nano=record.header.ended_unix_nano,
        )
        if isinstance(value, int):
            point.as_int = value
        else:
            point.as_double = value
        put_attributes(point.attributes, attributes)
    return request


def events(record: RunRecord, exit_code: int) -> Iterator[ExportLogsServiceRequest]:
    """Yield requests with all events of a run, the one of the run itself first."""
    made = _events(record, exit_code)
    while some := list(islice(made, _MOST_EVENTS)):
        request = ExportLogsServiceRequest()
        group = request.resource_logs.add()
        _put_resource(group.resource, record)
        scope = group.scope_logs.add()
        scope.scope.name, scope.scope.version = SCOPE, record.header.tool
        for each in some:
            told = scope.log_records.add(
                event_name=each.name,
                severity_number=each.severity,
                severity_text=SeverityNumber.Name(each.severity).removeprefix("SEVERITY_NUMBER_"),
                time_unix_nano=record.header.ended_unix_nano,
                observed_time_unix_nano=record.header.ended_unix_nano,
            )
            told.body.string_value = each.body
            put_attributes(told.attributes, each.attributes)
        yield request


def requests(record: RunRecord, exit_code: int) -> Iterator[Request]:
    """Yield everything that is sent of a run, the metrics first."""
    yield metrics(record, exit_code)
    yield from events(record, exit_code)


def _put_resource(resource: Resource, record: RunRecord) -> None:
    header = record.header
    values = (SCOPE, header.tool, header.job, header.subject.spec, header.subject.version)
    put_attributes(resource.attributes, zip(RESOURCE.attributes, values, strict=True))


def _points(record: RunRecord, exit_code: int) -> Iterator[tuple[str, float, Mapping[str, str]]]:
    header, recording = record.header, record.recording
    by = Counter((row.verdict, impact(row), theme(row.requirement)) for row in record.rows)
    for key, number in by.items():
        counted = METRICS["cc_otel.requirements"].attributes
        yield "cc_otel.requirements", number, dict(zip(counted, map(str, key), strict=True))
    yield "cc_otel.run.duration", float(header.wall_s), {}
    yield "cc_otel.run.failed", int(exit_code != 0), {}
    yield "cc_otel.recording.duration", float(header.recording_s), {}
    for label, seconds in header.runs.items():
        scenario, _, protocol = label.rpartition(" over ")
        named = {"cc_otel.scenario": scenario or label, "cc_otel.protocol": protocol}
        yield "cc_otel.scenario.duration", float(seconds), named
    outcomes = Counter(run.outcome.value for run in recording.runs) if recording else {}
    for outcome, number in outcomes.items():
        yield "cc_otel.sessions", number, {"cc_otel.outcome": outcome}
    for protocol, number in header.exports.items():
        yield "cc_otel.exports", number, {"cc_otel.protocol": protocol}


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, before it is a log record."""

    name: str
    severity: SeverityNumber.ValueType
    body: str
    attributes: Mapping[str, Any]


def _events(record: RunRecord, exit_code: int) -> Iterator[_Event]:
    footer = record.footer
    why = footer.why if footer else "the run was broken off"
    failed = exit_code != 0
    severity = SeverityNumber.SEVERITY_NUMBER_ERROR if failed else _INFO
    counted = {
        "cc_otel.failed": failed,
        "cc_otel.requirements.judged": len(record.rows),
        "process.exit.code": exit_code,
        **({"cc_otel.requirements.selected": footer.selected} if footer else {}),
    }
    yield _Event("cc_otel.run", severity, why, counted)
    for row in record.rows:
        yield from _of_row(row)


_INFO = SeverityNumber.SEVERITY_NUMBER_INFO


def _of_row(row: Row) -> Iterator[_Event]:
    if row.verdict in (Verdict.FAIL, Verdict.KNOWN) and row.findings:
        for finding in row.findings:
            attributes = {**_about(row), **_found(finding)}
            yield _Event("cc_otel.finding", _severity(row), row.statement, attributes)
    elif fails_the_run(row):
        yield _Event("cc_otel.trouble", _severity(row), row.statement, _about(row))


def _severity(row: Row) -> SeverityNumber.ValueType:
    if fails_the_run(row):
        return SeverityNumber.SEVERITY_NUMBER_ERROR
    return _INFO if row.verdict is Verdict.KNOWN else SeverityNumber.SEVERITY_NUMBER_WARN


def _about(row: Row) -> dict[str, Any]:
    told = {
        "cc_otel.requirement": row.requirement,
        "cc_otel.verdict": row.verdict.value,
        "cc_otel.level": row.level.value,
        "cc_otel.impact": impact(row).value,
        "cc_otel.theme": theme(row.requirement),
        "cc_otel.fails_the_run": fails_the_run(row),
        "cc_otel.reason": row.reason,
        "url.full": row.url,
    }
    return {name: value for name, value in told.items() if value != ""}


def _found(finding: Finding) -> dict[str, Any]:
    scenarios: Sequence[str] = [*dict.fromkeys(run.scenario for run in finding.runs)]
    return {
        "cc_otel.expected": finding.expected,
        "cc_otel.seen": finding.seen,
        "cc_otel.where": finding.where,
        "cc_otel.scenario": scenarios,
    }
