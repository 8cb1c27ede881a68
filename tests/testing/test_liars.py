"""A handful of lies end to end: real processes, each wrong in one way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks.judge import CHECKS, Judge
from harness.checks.view import CaptureView
from harness.contract.catalogue import Contract, load
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.scenarios.catalogue import SCENARIOS
from harness.scenarios.recorder import record
from harness.subject.binary import Binary
from harness.verdicts.expectations import NO_EXPECTATIONS
from harness.verdicts.verdicts import Row, decide

RELEASE = Version(2, 1, 240)

#: What the liar does to the environment before the conforming emitter takes over.
LIES = {
    "shows the prompt": "os.environ['OTEL_LOG_USER_PROMPTS'] = '1'",
    "exports no metrics": "del os.environ['OTEL_METRICS_EXPORTER']",
    "exports nothing": "del os.environ['CLAUDE_CODE_ENABLE_TELEMETRY']",
    "sums up for ever": (
        "os.environ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'] = 'cumulative'"
    ),
    "sends logs astray": (
        "base = os.environ['OTEL_EXPORTER_OTLP_ENDPOINT']\n"
        "if os.environ['OTEL_EXPORTER_OTLP_PROTOCOL'] != 'grpc':\n"
        "    os.environ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'] = base + '/v1/logz'"
    ),
    "tells the tools' input": "os.environ['OTEL_LOG_TOOL_DETAILS'] = '1'",
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(RELEASE, checks=CHECKS, scenarios=SCENARIOS)


@pytest.fixture
def judged(contract: Contract, tmp_path: Path) -> Callable[[str], dict[str, Row]]:
    """Run the liar over all protocols and judge it."""

    def judge(lie: str) -> dict[str, Row]:
        path = tmp_path / "liar.py"
        path.write_text(
            f"import os, sys\n{lie}\nfrom harness.testing.emitter import main\n"
            f"sys.exit(main(['--emulate', '{RELEASE}', *sys.argv[1:]]))\n",
            encoding="utf-8",
        )
        liar = Binary("liar", (sys.executable, str(path)), str(path), str(RELEASE))
        captures = record(liar, progress=lambda line: None).captures
        judge = Judge(contract)
        views = [CaptureView(capture) for capture in captures]
        return {
            each.name: decide(contract, each, judge.judge(each, views), NO_EXPECTATIONS)
            for each in contract.requirements
            if contract.applies(each)
        }

    return judge


def failing(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row.verdict is Verdict.FAIL}


def exported(contract: Contract, theme: str) -> set[str]:
    return {
        each.name
        for each in contract.requirements
        if each.name.startswith(theme) and each.name.endswith(".exported")
    }


def test_a_liar_without_a_lie_passes(judged: Callable[[str], dict[str, Row]]) -> None:
    rows = judged("")
    assert failing(rows) == set()
    assert sum(row.verdict is Verdict.PASS for row in rows.values()) > 200


def test_showing_the_prompt(judged: Callable[[str], dict[str, Row]]) -> None:
    rows = judged(LIES["shows the prompt"])
    name = "events.user_prompt.prompt.redacted_by_default"
    assert failing(rows) == {name}
    assert "Please greet the world twice" in rows[name].findings[0].seen
    assert len(rows[name].findings) == 3, "one on each protocol"


def test_telling_the_input_of_tools(judged: Callable[[str], dict[str, Row]]) -> None:
    assert failing(judged(LIES["tells the tools' input"])) == {
        "events.tool_result.error.closed_by_default",
        "events.tool_result.tool_input.closed_by_default",
        "events.tool_result.tool_parameters.closed_by_default",
        "events.tool_decision.tool_parameters.closed_by_default",
    }


def test_exporting_no_metrics(judged: Callable[[str], dict[str, Row]], contract: Contract) -> None:
    rows = judged(LIES["exports no metrics"])
    assert failing(rows) == exported(contract, "metrics.")
    assert rows["metrics.commit_count.unit"].verdict is Verdict.NOT_EXERCISED
    assert rows["transport.same_metrics_everywhere"].verdict is Verdict.NOT_EXERCISED


def test_working_and_exporting_nothing(
    judged: Callable[[str], dict[str, Row]], contract: Contract
) -> None:
    rows = judged(LIES["exports nothing"])
    assert failing(rows) == exported(contract, "metrics.") | exported(contract, "events.")
    assert not [row for row in rows.values() if row.verdict is Verdict.PASS]


def test_cumulative_sums(judged: Callable[[str], dict[str, Row]]) -> None:
    assert failing(judged(LIES["sums up for ever"])) == {"metrics.temporality.delta_by_default"}


def test_logs_to_a_wrong_path(judged: Callable[[str], dict[str, Row]], contract: Contract) -> None:
    rows = judged(LIES["sends logs astray"])
    assert failing(rows) == {"transport.accepted"} | exported(contract, "events.")
    (finding, *_) = rows["transport.accepted"].findings
    assert "/v1/logz" in finding.seen
    seen = rows["events.user_prompt.exported"].findings[0].seen
    assert "refused" in seen
    assert "/v1/logz" in seen
    protocols = rows["events.user_prompt.exported"].by_protocol
    assert {str(each): str(verdict) for each, verdict in protocols.items()} == {
        "grpc": "pass",
        "http/protobuf": "fail",
        "http/json": "fail",
    }
