"""Exports and runs to put into stores and captures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.capture.export import Export
from harness.capture.run import (
    ApiCall,
    Decision,
    Failure,
    GroundTruth,
    Host,
    Run,
    SubjectFacts,
    ToolRun,
)
from harness.otlp.model import Protocol, Signal

MakeExport = Callable[..., Export]


@pytest.fixture
def make_export() -> MakeExport:
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
def run() -> Run:
    """A run that uses every field there is."""
    return Run(
        scenario="day",
        protocol=Protocol.HTTP_JSON,
        subject=SubjectFacts(spec="npm:2.1.31", path="/bin/claude", version="2.1.31"),
        argv=("claude", "-p", "hi ü"),
        environment={"OTEL_METRICS_EXPORTER": "otlp"},
        started_unix_nano=1,
        ended_unix_nano=2,
        exit_code=-9,
        stdout="out\n\udcff",
        stderr="",
        truth=GroundTruth(
            prompts=("hi",),
            api_calls=(ApiCall("model", 200, False, True, "req_1", 1, 2, 3, 4, "", True),),
            tool_runs=(
                ToolRun("Bash", "toolu_1", {"command": "ls", "n": [1, None]}, False),
                ToolRun("Bash", "toolu_2", {}, True, 3, 2),
            ),
            commits=1,
            pull_requests=2,
            lines_added=3,
            lines_removed=4,
            decisions=(Decision("Bash", "toolu_1", {"n": {}}, False, "user_reject"),),
            failures=(Failure(500, "overloaded", 3), Failure(None, "", 0)),
            canaries={"prompt": "canary"},
            account={"user.email": "a@b"},
        ),
        traits=("a_terminal",),
        observed={"helper_runs": [{"n": 1}]},
        host=Host("linux", "6.1", "amd64", "2"),
    )
