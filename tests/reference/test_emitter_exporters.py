"""The emitter’s other exporters: the console, Prometheus, none, and several at once."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pytest

from harness.capture.capture import Capture
from harness.collector.collector import Collector
from harness.exposition import console
from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import Say
from harness.otlp.model import Protocol, Signal
from harness.running.drive import drive
from harness.subject.binary import resolve
from harness.subject.headless import run_headless
from harness.subject.process import Completed, ProcessGroups
from harness.subject.sandbox import Sandbox
from harness.themes.catalogue import SCENARIOS

pytestmark = pytest.mark.slow


def run(environment: Mapping[str, str], version: str = "2.1.240") -> Completed:
    binary = resolve(f"reference:{version}", progress=print)
    with Sandbox() as sandbox, MessagesApi((Say("done"),), prompts=("Go.",)) as api:
        return run_headless(
            binary,
            sandbox,
            "Go.",
            api_url=api.base_url,
            env={"CLAUDE_CODE_ENABLE_TELEMETRY": "1", **environment},
        )


def scenario(name: str, version: str) -> Capture:
    chosen = SCENARIOS[name]
    binary = resolve(f"reference:{version}", progress=print)
    return drive(binary, chosen, chosen.protocols[0], 300.0, ProcessGroups())


@pytest.mark.parametrize("version", ["2.1.31", "2.1.240"])
def test_the_console_shows_metrics_and_events_beside_the_answer(version: str) -> None:
    done = run({"OTEL_METRICS_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "console"}, version)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "done\n" in done.stdout
    found = console.exports(done.stdout, 1)
    assert [each.rejected for each in found] == [""] * len(found)
    assert {each.signal for each in found} == {Signal.METRICS, Signal.LOGS}


def test_traces_go_with_the_events_of_the_console() -> None:
    done = run(
        {
            "OTEL_LOGS_EXPORTER": "console",
            "TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        }
    )
    ids = {
        (event.trace_id, event.span_id)
        for export in console.exports(done.stdout, 1)
        for event in export.events
    }
    assert ids == {("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")}


def test_none_exports_nothing() -> None:
    with Collector() as collector:
        done = run(
            {
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint(Protocol.HTTP_JSON),
            }
        )
        assert collector.exports == ()
    assert (done.exit_code, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("METRICS", "graphite"), ("LOGS", "prometheus"), ("METRICS", "otlp,zipkin")],
)
def test_an_unknown_exporter_is_ignored_with_a_warning(variable: str, value: str) -> None:
    done = run({f"OTEL_{variable}_EXPORTER": value, "OTEL_EXPORTER_OTLP_PROTOCOL": ""})
    assert done.exit_code == 0
    unknown = value.rpartition(",")[2]
    assert f"OTEL_{variable}_EXPORTER: {unknown} is no exporter" in done.stderr


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(
            {
                "OTEL_METRICS_EXPORTER": "prometheus",
                "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
                "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
            }
        )
    assert done.exit_code == 1
    assert f"port {port} for Prometheus: expected a free port" in done.stderr


@pytest.mark.parametrize("version", ["2.1.31", "2.1.240"])
def test_several_exporters_get_the_same(version: str) -> None:
    capture = scenario("several_exporters", version)
    by_collector = {
        collector: {export.signal for export in capture.exports if export.collector == collector}
        for collector in ("main", "console", "prometheus")
    }
    assert by_collector == {
        "main": {Signal.METRICS, Signal.LOGS},
        "console": {Signal.LOGS},
        "prometheus": {Signal.METRICS},
    }
    names = {
        collector: {
            point.metric.name
            for export in capture.exports
            if export.collector == collector
            for point in export.data_points
        }
        for collector in ("main", "prometheus")
    }
    assert names["main"] == names["prometheus"]
