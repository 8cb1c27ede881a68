"""Small captures, made by hand from the protocol's own messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.capture.run import GroundTruth, Run, SubjectFacts
from harness.checks.view import CaptureView
from harness.otlp.codec import encode
from harness.otlp.messages import (
    ENCODINGS,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    Request,
)
from harness.otlp.model import Protocol, Signal
from harness.testing.editing import put_attribute

Viewer = Callable[..., CaptureView]


def _logs(events: Sequence[Mapping[str, Any]]) -> Request:
    message = ExportLogsServiceRequest()
    records = message.resource_logs.add().scope_logs.add().log_records
    for event in events:
        record = records.add(time_unix_nano=event.get("time_unix_nano", 1_000_000))
        if "body" in event:
            record.body.string_value = event["body"]
        for key, value in event.get("attributes", {}).items():
            put_attribute(record.attributes, key, value)
    return message


def _metrics(points: Sequence[tuple[str, float, Mapping[str, Any]]]) -> Request:
    message = ExportMetricsServiceRequest()
    scope = message.resource_metrics.add().scope_metrics.add()
    for name, value, attributes in points:
        metric = scope.metrics.add(name=name)
        metric.sum.is_monotonic = True
        point = metric.sum.data_points.add(as_double=value)
        for key, each in attributes.items():
            put_attribute(point.attributes, key, each)
    return message


def make_export(protocol: Protocol, signal: Signal, message: Request, sequence: int) -> Export:
    return Export(
        sequence=sequence,
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


@pytest.fixture
def viewer() -> Viewer:
    """Make a view of a capture that holds these events and data points."""

    def make(
        *,
        events: Sequence[Mapping[str, Any]] = (),
        points: Sequence[tuple[str, float, Mapping[str, Any]]] = (),
        exports: Sequence[Export] = (),
        protocol: Protocol = Protocol.HTTP_JSON,
        truth: GroundTruth | None = None,
        scenario: str = "working_day",
    ) -> CaptureView:
        made = list(exports)
        if events:
            made.append(make_export(protocol, Signal.LOGS, _logs(events), len(made) + 1))
        if points:
            made.append(make_export(protocol, Signal.METRICS, _metrics(points), len(made) + 1))
        run = Run(
            scenario=scenario,
            protocol=protocol,
            subject=SubjectFacts("test", "/bin/test", "2.1.31"),
            argv=("test",),
            environment={},
            started_unix_nano=0,
            ended_unix_nano=2_000_000,
            exit_code=0,
            stdout="",
            stderr="",
            truth=truth or GroundTruth(),
        )
        return CaptureView(Capture(run, tuple(made)))

    return make
