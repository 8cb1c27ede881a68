"""A handful of lies end to end: real processes, each wrong in one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract.catalogue import Contract, load
from harness.contract.versions import Version
from harness.findings import Verdict
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.items.view import CaptureView
from harness.judging.judge import CHECKS, Judge
from harness.judging.verdicts import Row, decide
from harness.mutants.liars import liar
from harness.otlp.model import Protocol
from harness.running.recorder import record
from harness.running.scenario import Scenario
from harness.subject.binary import Binary, resolve
from harness.themes.catalogue import MEASURES, SCENARIOS
from harness.themes.free_form.by_hand import by_hand

pytestmark = pytest.mark.slow

RELEASE = Version(2, 1, 240)

WORKING_DAY = SCENARIOS["working_day"]

#: Judge a liar by what it does in some scenarios.
Judged = Callable[..., dict[str, Row]]

#: What the liar does before the conforming emitter takes over.
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
    "knows no endpoint of metrics": (
        "os.environ.pop('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', None)\n"
        "os.environ.pop('OTEL_EXPORTER_OTLP_LOGS_HEADERS', None)"
    ),
    "tells the tools' input": "os.environ['OTEL_LOG_TOOL_DETAILS'] = '1'",
    "forgets a switch": "del os.environ['OTEL_METRICS_INCLUDE_VERSION']",
    "counts every token twice": """
from harness.reference.facts import Reporter
add = Reporter._add
def twice(self, metric, amount, attributes):
    add(self, metric, amount * 2 if metric == 'token.usage' else amount, attributes)
Reporter._add = twice
""",
    "tells of each attempt": """
from dataclasses import replace
from harness.reference.facts import Reporter
failed = Reporter.failed
def each(self, error, attribution):
    ids = error.exchange.attempt_ids
    for number in range(1, len(ids) + 1):
        error.exchange = replace(error.exchange, attempt_ids=ids[:number])
        failed(self, error, attribution)
Reporter.failed = each
""",
    "shows the key's end": """
import base64
from harness.reference.facts import Reporter
record = Reporter._record
note = base64.b64encode(b'key ' + os.environ['ANTHROPIC_API_KEY'][-24:].encode()).decode()
Reporter._record = lambda self, event, fields: record(self, event, {**fields, 'note': note})
""",
    "takes a dismissal for another answer": """
from harness.reference import permissions
permissions._DECISIONS[permissions.Reply.DISMISSED] = permissions.Decision(False, 'user_temporary')
""",
    "exports in half the time": """
for name in ('OTEL_METRIC_EXPORT_INTERVAL', 'OTEL_LOGS_EXPORT_INTERVAL'):
    os.environ[name] = str(int(os.environ[name]) // 2)
""",
    "leaves without a word": """
from harness.reference.telemetry import SdkSink
SdkSink.close = lambda self: (sys.stdout.flush(), os._exit(0))
""",
    "is always the same session": """
from harness.reference import identity
whole, one = identity.Identity, '11111111-2222-4333-8444-555555555555'
identity.Identity = lambda version, _, *others: whole(version, one, *others)
""",
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(RELEASE, checks=CHECKS, scenarios=SCENARIOS)


@pytest.fixture
def judged(contract: Contract, tmp_path: Path) -> Judged:
    """Run the liar through some scenarios, over their protocols or ``over`` one, and judge it."""

    def judge(lie: str, *names: str, over: Protocol | None = None) -> dict[str, Row]:
        subject = liar(lie, str(RELEASE), tmp_path)
        chosen = [SCENARIOS[name] for name in names]
        if over is not None:
            chosen = [replace(scenario, protocols=(over,)) for scenario in chosen]
        return judged_of(contract, subject, chosen)

    return judge


def judged_of(contract: Contract, subject: Binary, scenarios: Sequence[Scenario]) -> dict[str, Row]:
    recorded = record(subject, scenarios=scenarios, progress=lambda line: None)
    assert recorded.faults == {}
    judge = Judge(contract, by_hand)
    views = [CaptureView(capture, MEASURES) for capture in recorded.captures]
    return {
        each.name: decide(contract, each, judge.judge(each, views), NO_EXPECTATIONS)
        for each in contract.requirements
        if contract.applies(each)
    }


def passing(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row.verdict is Verdict.PASS}


def failing(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row.verdict is Verdict.FAIL}


def exported(contract: Contract, theme: str) -> set[str]:
    """What a working day must export.

    In that of the emitter no turn ends with words, no request is given up after retries, and
    neither a server nor a skill nor a subagent is called.
    """
    return {
        each.name
        for each in contract.requirements
        if each.name.startswith(theme)
        and each.name.endswith(".exported")
        and (not each.scenarios or "working_day" in each.scenarios)
    } - {
        "events.api_retries_exhausted.exported",
        "events.assistant_response.exported",
        "events.mcp_server_connection.exported",
        "events.skill_activated.exported",
        "events.subagent_completed.exported",
    }


def test_a_liar_without_a_lie_passes(judged: Judged, contract: Contract) -> None:
    rows = judged("", "working_day")
    assert failing(rows) == set()
    conforming = judged_of(contract, resolve(f"reference:{RELEASE}", progress=print), [WORKING_DAY])
    assert passing(rows) == passing(conforming) != set()


def test_showing_the_prompt(judged: Judged) -> None:
    rows = judged(LIES["shows the prompt"], "working_day")
    name = "events.user_prompt.prompt.redacted_by_default"
    assert failing(rows) == {name, "privacy.prompt"}
    assert "Please greet the world twice" in rows[name].findings[0].seen
    assert len(rows[name].findings) == 3, "one on each protocol"


def test_telling_the_input_of_tools(judged: Judged) -> None:
    assert failing(judged(LIES["tells the tools' input"], "working_day")) == {
        "events.tool_result.error.closed_by_default",
        "events.tool_result.tool_input.closed_by_default",
        "events.tool_result.tool_parameters.closed_by_default",
        "events.tool_decision.tool_parameters.closed_by_default",
        "privacy.command",
        "privacy.commit_message",
        "privacy.edited_contents",
        "privacy.folders",
        "privacy.replaced_contents",
        "privacy.written_contents",
    }


def test_the_canaries_tell_what_else_came_with_the_input(judged: Judged) -> None:
    rows = judged(LIES["tells the tools' input"], "toolbox", over=Protocol.HTTP_JSON)
    assert {name for name in failing(rows) if name.startswith("privacy.")} == {
        "privacy.command",
        "privacy.commit_message",
        "privacy.edited_contents",
        "privacy.folders",
        "privacy.mcp_arguments",
        "privacy.mcp_names",
        "privacy.mcp_results",
        "privacy.mcp_tool_names",
        "privacy.replaced_contents",
        "privacy.skill_names",
        "privacy.subagent_prompts",
        "privacy.written_contents",
    }
    (place,) = {finding.where for finding in rows["privacy.mcp_arguments"].findings}
    assert place == "toolbox over http/json · logs tool_result attributes.tool_input"


def test_exporting_no_metrics(judged: Judged, contract: Contract) -> None:
    rows = judged(LIES["exports no metrics"], "working_day")
    # The events still tell what was paid: the counter does not hold it.
    paid = "events.api_request.cost_usd.counted"
    assert failing(rows) == exported(contract, "metrics.") | {paid}
    assert rows["metrics.commit_count.unit"].verdict is Verdict.NOT_EXERCISED
    assert rows["transport.same_metrics_everywhere"].verdict is Verdict.NOT_EXERCISED


def test_working_and_exporting_nothing(judged: Judged, contract: Contract) -> None:
    rows = judged(LIES["exports nothing"], "working_day")
    assert failing(rows) == exported(contract, "metrics.") | exported(contract, "events.")
    # Of nothing that was exported, at least: it ended well.
    passing = {name for name, row in rows.items() if row.verdict is Verdict.PASS}
    assert {name for name in passing if not name.startswith("endings.")} == set()


def test_cumulative_sums(judged: Judged) -> None:
    rows = judged(LIES["sums up for ever"], "working_day")
    assert failing(rows) == {"metrics.temporality.delta_by_default"}


def test_logs_to_a_wrong_path(judged: Judged, contract: Contract) -> None:
    rows = judged(LIES["sends logs astray"], "working_day")
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


def test_metrics_to_the_general_endpoint(judged: Judged) -> None:
    rows = judged(LIES["knows no endpoint of metrics"], "general_json_overridden")
    assert failing(rows) == {
        "endpoints.metrics_endpoint",
        "endpoints.overridden_unused",
        "endpoints.signal_root",
        "headers.logs",
        "headers.signal_percent_encoded",
        "headers.signal_wins",
    }
    (finding,) = rows["endpoints.metrics_endpoint"].findings
    assert finding.expected == "the collector of the metrics endpoint"
    assert finding.seen == '"overridden" (string)'
    assert finding.where.startswith("general_json_overridden over http/json · metrics export")


def test_counting_every_token_twice(judged: Judged) -> None:
    rows = judged(LIES["counts every token twice"], "working_day", over=Protocol.HTTP_JSON)
    name = "metrics.token_usage.billed"
    assert failing(rows) == {
        name,
        "metrics.token_usage.billed_side_calls",
        "metrics.token_usage.query_source.main",
    }
    for finding in rows[name].findings:
        assert float(finding.seen) == 2 * float(finding.expected)


def test_an_error_for_each_attempt(judged: Judged) -> None:
    rows = judged(LIES["tells of each attempt"], "api_failures")
    name = "events.api_error.one_each"
    assert failing(rows) == {name, "events.api_error.request_id.joins_a_call"}
    (finding,) = rows[name].findings
    # Six failures, of which four were tried twice.
    assert finding.expected.startswith("6: one for a failed API request")
    assert finding.seen == "10"


def test_the_end_of_the_key_in_base64(judged: Judged) -> None:
    rows = judged(LIES["shows the key's end"], "toolbox_open", over=Protocol.HTTP_JSON)
    # No document knows the attribute that it is in, either.
    assert failing(rows) == {"privacy.api_key", "names.events.attributes_documented"}
    places = {
        finding.where.rpartition(" · ")[2]: finding.seen.rpartition(" ")[2]
        for finding in rows["privacy.api_key"].findings
    }
    assert places == {
        f"logs {event} attributes.note": "(base64)"
        for event in (
            "api_request",
            "assistant_response",
            "mcp_server_connection",
            "skill_activated",
            "subagent_completed",
            "tool_decision",
            "tool_result",
            "user_prompt",
        )
    }


def test_a_dismissed_prompt(judged: Judged) -> None:
    rows = judged(LIES["takes a dismissal for another answer"], "terminal_day")
    name = "events.tool_decision.source.user_abort"
    assert failing(rows) == {name, "metrics.code_edit_tool_decision.source.as_it_was"}
    assert [finding.seen for finding in rows[name].findings] == ["reject by user_temporary"] * 2


def test_a_switch_that_is_forgotten(judged: Judged) -> None:
    rows = judged(LIES["forgets a switch"], "identity_included")
    assert failing(rows) == {
        "standard.events.app_version.switch",
        "standard.metrics.app_version.switch",
    }


def test_exporting_in_half_the_time(judged: Judged) -> None:
    rows = judged(LIES["exports in half the time"], "intervals_short")
    assert failing(rows) == {"intervals.metrics.configured", "intervals.logs.configured"}


def test_leaving_without_a_word(judged: Judged) -> None:
    rows = judged(LIES["leaves without a word"], "intervals_short")
    assert "intervals.flush_at_exit" in failing(rows)
    assert rows["intervals.flush_at_exit"].findings[0].seen.count("untold") == 1
    assert not [name for name in failing(rows) if name.endswith(".configured")]


def test_one_session_id_for_two_sessions(judged: Judged) -> None:
    rows = judged(LIES["is always the same session"], "notebook_edit", "new_file")
    names = {"standard.events.session_id.distinct", "standard.metrics.session_id.distinct"}
    assert failing(rows) == names
    for name in names:
        (finding,) = rows[name].findings
        assert finding.where == "new_file over http/protobuf"
        assert finding.expected == "another than in notebook_edit over http/json"
