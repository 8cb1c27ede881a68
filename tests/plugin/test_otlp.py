"""The record as telemetry of its own, at a collector that is there, and at others."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable

import pytest

from harness import Collector, CollectorResponse
from harness.otlp.messages import (
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from harness.otlp.model import Protocol
from harness.plugin.otlp import Target

JudgeAgain = Callable[..., pytest.RunResult]

REDACTED = "events.user_prompt.prompt.redacted_by_default"
ENDPOINT = "--cc-otlp-endpoint"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs these tests may reach the world by one, but not this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_what_was_found_arrives(
    judge_again: JudgeAgain, otlp_collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "a secret")
    result = judge_again(
        f"{ENDPOINT}={otlp_collector.http_endpoint}/",
        "--cc-otlp-headers=authorization=Bearer ${TOKEN}",
        told=True,
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "not sent" not in result.stdout.str()
    exports = otlp_collector.exports
    assert [export.path for export in exports] == ["/v1/metrics", "/v1/logs"]
    assert {export.protocol for export in exports} == {Protocol.HTTP_PROTOBUF}
    for export in exports:
        assert {name.lower(): text for name, text in export.headers}["authorization"] == (
            "Bearer a secret"
        )
    assert not any(export.rejected for export in exports)

    metrics, logs = exports
    by_verdict: Counter[str] = Counter()
    for point in metrics.data_points:
        if point.metric.name == "cc_otel.requirements":
            by_verdict[str(point.attributes["cc_otel.verdict"])] += int(point.value or 0)
    assert {*by_verdict} == {"pass", "fail", "not exercised"}
    assert by_verdict["fail"] == 1
    assert f"{by_verdict['pass']} passed" in result.outlines[-1]
    (session,) = (p for p in metrics.data_points if p.metric.name == "cc_otel.scenario.duration")
    assert session.attributes["cc_otel.scenario"] == "working_day"
    run, finding = logs.events
    assert (run.event_name, run.attributes["process.exit.code"]) == ("cc_otel.run", 1)
    assert finding.event_name == "cc_otel.finding"
    assert finding.attributes["cc_otel.requirement"] == REDACTED
    assert finding.attributes["cc_otel.seen"] == '"Fix it" (string)'
    assert finding.resource.attributes["service.name"] == "pytest-cc-otel"


def test_a_collector_that_is_away_is_one_line(judge_again: JudgeAgain) -> None:
    with socket.socket() as bound:
        # Nobody listens, and nobody else gets the port.
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        result = judge_again(f"{ENDPOINT}={url}")
    assert result.ret == pytest.ExitCode.OK
    (line,) = (line for line in result.outlines if line.startswith("not sent"))
    assert line.startswith(f"not sent   {url}/v1/metrics: ")
    assert result.outlines[-2] == "OK: no deviation was seen"


PARTIAL = ExportMetricsServiceResponse()
PARTIAL.partial_success.rejected_data_points = 3
PARTIAL.partial_success.error_message = "too many"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (CollectorResponse(http_status=503), "answered 503 "),
        (CollectorResponse(http_status=302, headers=(("location", "/"),)), "answered 302 "),
        (CollectorResponse(body=b"<html>"), "answered with what is no OTLP"),
        (CollectorResponse(body=PARTIAL.SerializeToString()), "rejected 3 items: too many"),
    ],
)
def test_what_is_refused_is_told(
    make_otlp_collector: Callable[..., Collector], answer: CollectorResponse, told: str
) -> None:
    collector = make_otlp_collector(responder=lambda _: answer)
    target = Target(collector.http_endpoint, {})
    problem = target.send([ExportMetricsServiceRequest(), ExportLogsServiceRequest()])
    assert problem.startswith(f"{collector.http_endpoint}/v1/metrics {told}")
    assert len(collector.exports) == 1
