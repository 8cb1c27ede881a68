"""Small captures, made by hand from the protocol's own messages, and what is asked of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.run import GroundTruth, Host, Run, SubjectFacts
from harness.contract.catalogue import Contract, load
from harness.contract.requirement import Requirement, Selector, Source
from harness.contract.versions import Version, VersionRange
from harness.findings import Judged, Level, NotExercised, Outcome
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge
from harness.otlp.codec import encode
from harness.otlp.messages import (
    ENCODINGS,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
    signal_of,
)
from harness.otlp.model import Protocol, Signal
from harness.otlp.writing import Pairs, put_attributes, put_value
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.free_form.by_hand import by_hand
from tests.hanging import Hang, let_deadlines_pass

#: What the fixtures of these names give, for tests to annotate them with.
Exporter = Callable[..., Export]
Viewer = Callable[..., CaptureView]
Require = Callable[..., Requirement]
Findings = Callable[[Outcome], list[str]]
Missed = Callable[[Outcome], str]
MakeExport = Callable[..., Export]

#: (name, value, attributes), and further facts of the point and its metric.
Point = tuple[str, float, Pairs] | tuple[str, float, Pairs, Mapping[str, Any]]

_TEMPORALITIES = {
    "delta": AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
    "cumulative": AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
}
_SPAN_IDS = ("trace_id", "span_id", "parent_span_id")


def _logs(events: Sequence[Mapping[str, Any]], resource: Pairs) -> Request:
    message = ExportLogsServiceRequest()
    group = message.resource_logs.add()
    put_attributes(group.resource.attributes, resource)
    records = group.scope_logs.add().log_records
    for event in events:
        record = records.add(time_unix_nano=event.get("time_unix_nano", 1_000_000))
        if "body" in event:
            put_value(record.body, event["body"])
        put_attributes(record.attributes, event.get("attributes", {}))
    return message


def _metrics(points: Sequence[Point], resource: Pairs) -> Request:
    message = ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    put_attributes(group.resource.attributes, resource)
    scope = group.scope_metrics.add()
    for name, value, attributes, *more in points:
        facts = more[0] if more else {}
        metric = scope.metrics.add(
            name=name, description=facts.get("description", ""), unit=facts.get("unit", "")
        )
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = _TEMPORALITIES[facts.get("temporality", "delta")]
        point = metric.sum.data_points.add(
            as_double=value,
            start_time_unix_nano=facts.get("start", 0),
            time_unix_nano=facts.get("time", 0),
        )
        put_attributes(point.attributes, attributes)
    return message


def _traces(spans: Sequence[Mapping[str, Any]], resource: Pairs) -> Request:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    put_attributes(group.resource.attributes, resource)
    made = group.scope_spans.add().spans
    for each in spans:
        span = made.add(
            name=each.get("name", "work"),
            kind=each.get("kind", 0),
            start_time_unix_nano=each.get("start_time_unix_nano", 0),
            end_time_unix_nano=each.get("end_time_unix_nano", 0),
            **{key: bytes.fromhex(each.get(key, "")) for key in _SPAN_IDS},
        )
        put_attributes(span.attributes, each.get("attributes", {}))
        span.status.code = each.get("status_code", 0)
        span.status.message = each.get("status", "")
        for name, attributes in each.get("events", ()):
            put_attributes(span.events.add(name=name).attributes, attributes)
    return message


def make_export(protocol: Protocol, message: Request, **fields: Any) -> Export:
    signal = signal_of(message)
    made = Export(
        sequence=1,
        protocol=protocol,
        signal=signal,
        method="POST",
        path=f"/v1/{signal}",
        http_version="1.1",
        headers=(("User-Agent", "test"),),
        body=encode(message, ENCODINGS[protocol]),
        arrived_unix_nano=1,
        peer="127.0.0.1:1",
        status=200,
    )
    return replace(made, **fields)


@pytest.fixture
def exporter() -> Exporter:
    """Make one export of these events, data points or spans; ``fields`` override its own."""

    def make(
        *,
        events: Sequence[Mapping[str, Any]] = (),
        points: Sequence[Point] = (),
        spans: Sequence[Mapping[str, Any]] = (),
        resource: Pairs = (),
        protocol: Protocol = Protocol.HTTP_JSON,
        **fields: Any,
    ) -> Export:
        if points:
            message = _metrics(points, resource)
        elif spans:
            message = _traces(spans, resource)
        else:
            message = _logs(events, resource)
        return make_export(protocol, message, **fields)

    return make


@pytest.fixture
def viewer(exporter: Exporter) -> Viewer:
    """Make a view of a capture that holds these events, data points and spans.

    ``facts`` are those of the run: its scenario, environment, traits, times, host, truth.
    """

    def make(
        *,
        events: Sequence[Mapping[str, Any]] = (),
        points: Sequence[Point] = (),
        spans: Sequence[Mapping[str, Any]] = (),
        exports: Sequence[Export] = (),
        resource: Pairs = (),
        protocol: Protocol = Protocol.HTTP_JSON,
        **facts: Any,
    ) -> CaptureView:
        made = list(exports)
        for kind, items in (("events", events), ("points", points), ("spans", spans)):
            if items:
                shared = {"resource": resource, "protocol": protocol, "sequence": len(made) + 1}
                made.append(exporter(**{kind: items}, **shared))
        run = Run(
            scenario="working_day",
            protocol=protocol,
            subject=SubjectFacts("test", "/bin/test", "2.1.31"),
            argv=("test",),
            environment={},
            started_unix_nano=0,
            ended_unix_nano=2_000_000,
            exit_code=0,
            stdout="",
            stderr="",
            truth=GroundTruth(),
            traits=(),
            host=Host(),
        )
        return CaptureView(Capture(replace(run, **facts), tuple(made)), MEASURES)

    return make


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load(Version(2, 1, 31), checks=CHECKS, scenarios=SCENARIOS)


@pytest.fixture
def judge(contract: Contract) -> Judge:
    return Judge(contract, by_hand)


@pytest.fixture
def requirement() -> Require:
    """Make a requirement; keywords that it does not have are the params of its check."""

    def make(
        check: str,
        *,
        kind: str = "event",
        name: str = "user_prompt",
        path: tuple[str, ...] = (),
        schema: Mapping[str, object] | bool = True,
        scenarios: tuple[str, ...] = ("working_day",),
        given: Mapping[str, str | bool | None] | None = None,
        protocols: tuple[str, ...] = (),
        **params: object,
    ) -> Requirement:
        return Requirement(
            name="test.requirement",
            level=Level.MUST,
            statement="A test.",
            source=Source("d", "s", "t", "2026-02"),
            versions=VersionRange(),
            selects=Selector(kind, name),
            path=path,
            schema=schema,
            check=check,
            params=params,
            scenarios=scenarios,
            given=given or {},
            protocols=protocols,
        )

    return make


@pytest.fixture
def findings() -> Findings:
    """What the findings of an outcome say was seen."""

    def seen(outcome: Outcome) -> list[str]:
        assert isinstance(outcome, Judged), outcome
        return [finding.seen for finding in outcome.findings]

    return seen


@pytest.fixture
def missed() -> Missed:
    """Why an outcome is that nothing was exercised."""

    def reason(outcome: Outcome) -> str:
        assert isinstance(outcome, NotExercised), outcome
        return outcome.reason

    return reason


@pytest.fixture(name="make_export")
def _make_export() -> MakeExport:
    """An export in http/json; keyword arguments override any field."""

    def make(body: bytes = b"{}", signal: Signal | None = Signal.LOGS, **fields: Any) -> Export:
        facts: dict[str, Any] = {
            "sequence": 0,
            "protocol": Protocol.HTTP_JSON,
            "method": "POST",
            "path": f"/v1/{signal}",
            "http_version": "1.1",
            "headers": (("Content-Type", "application/json"),),
            "arrived_unix_nano": 1_700_000_000_000_000_000,
            "peer": "127.0.0.1:5",
            "status": 200,
        }
        return Export(signal=signal, body=body, **(facts | fields))

    return make


@pytest.fixture
def make_metrics(make_export: MakeExport) -> MakeExport:
    """An export with one data point for each (name, value, attributes)."""

    def make(*points: tuple[str, int, dict[str, str]], **fields: Any) -> Export:
        metrics = [
            {
                "name": name,
                "sum": {
                    "dataPoints": [
                        {
                            "asInt": str(value),
                            "attributes": [
                                {"key": key, "value": {"stringValue": text}}
                                for key, text in attributes.items()
                            ],
                        }
                    ]
                },
            }
            for name, value, attributes in points
        ]
        document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
        return make_export(json.dumps(document).encode(), Signal.METRICS, **fields)

    return make


@pytest.fixture
def make_events(make_export: MakeExport) -> MakeExport:
    """An export with one event for each name, told as the subject tells it."""

    def make(*names: str, **fields: Any) -> Export:
        records = [
            {
                "body": {"stringValue": f"claude_code.{name}"},
                "attributes": [{"key": "event.name", "value": {"stringValue": name}}],
            }
            for name in names
        ]
        document = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        return make_export(json.dumps(document).encode(), Signal.LOGS, **fields)

    return make


@pytest.fixture
def hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hang:
    """What a subject does before it hangs: its deadline passes then, and never before."""
    folder = tmp_path / "hanging"
    folder.mkdir()
    return let_deadlines_pass(folder, monkeypatch.setattr)
