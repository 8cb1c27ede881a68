"""What sessions tell besides what they send: what was counted, said and asked, by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import ApiCall, Decision, Failure, GroundTruth, SubjectFacts, ToolRun
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.contract.requirement import DRAWN
from harness.drift.accounting import accounting
from harness.drift.facts import Fact, Topic, facts_of
from harness.drift.gates import gates_of
from harness.drift.inventory import inventory_of
from harness.drift.sessions import calls, endings, said, without_what_varies
from harness.drift.transport import transport_of
from harness.judging.items.view import CaptureView
from harness.otlp.model import Signal

if TYPE_CHECKING:
    from tests.conftest import Exporter, Viewer

OTLP = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp"}
TOKENS, COST = "claude_code.token.usage", "claude_code.cost.usage"


def call(**facts: Any) -> ApiCall:
    made = ApiCall("opus", 200, auxiliary=False, streamed=True, request_id="req_1", output_tokens=5)
    return replace(made, **facts)


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


def told(facts: Iterable[Fact]) -> dict[str, str]:
    return {fact.about: fact.value for fact in facts}


@pytest.fixture
def counted(viewer: Viewer) -> Callable[..., dict[str, str]]:
    def account(truth: GroundTruth, **sent: Any) -> dict[str, str]:
        return told(accounting(viewer(truth=truth, environment=OTLP, **sent).capture))

    return account


@pytest.mark.parametrize(
    ("tokens", "value"), [(5, "as it was"), (4, "fewer"), (6, "more"), (0, "none")]
)
def test_tokens_against_the_bill(
    counted: Callable[..., dict[str, str]], tokens: int, value: str
) -> None:
    points = [(TOKENS, tokens, {"type": "output"})]
    found = counted(GroundTruth(api_calls=(call(),)), points=points)
    assert found["output tokens"] == value
    assert "input tokens" not in found, "nothing of them was billed, or counted"


def test_an_answer_that_broke_off_may_be_counted_in_part(
    counted: Callable[..., dict[str, str]],
) -> None:
    truth = GroundTruth(api_calls=(call(), call(status=0, output_tokens=9)))
    for tokens, value in ((5, "as it was"), (9, "as it was"), (15, "more")):
        points = [(TOKENS, tokens, {"type": "output"})]
        assert counted(truth, points=points)["output tokens"] == value


@pytest.mark.parametrize(("tokens", "value"), [("5", "as it was"), (10, "more")])
def test_tokens_that_events_tell_of(
    counted: Callable[..., dict[str, str]], tokens: object, value: str
) -> None:
    found = counted(
        GroundTruth(api_calls=(call(),)), events=[event("api_request", output_tokens=tokens)]
    )
    assert found["output tokens of events"] == value


@pytest.mark.parametrize(("tokens", "value"), [(5, "not counted"), (12, "counted")])
def test_side_calls_are_told_apart(
    counted: Callable[..., dict[str, str]], tokens: int, value: str
) -> None:
    truth = GroundTruth(api_calls=(call(), call(auxiliary=True, output_tokens=7)))
    found = counted(truth, points=[(TOKENS, tokens, {"type": "output"})])
    assert found["output tokens"] == "as it was"
    assert found["output tokens of side calls"] == value


def test_a_total_is_its_last_value(counted: Callable[..., dict[str, str]]) -> None:
    points = [
        (TOKENS, value, {"type": "output"}, {"temporality": "cumulative", "time": value})
        for value in (2, 5)
    ]
    assert counted(GroundTruth(api_calls=(call(),)), points=points)["output tokens"] == "as it was"


def test_counters_and_events_against_what_happened(
    counted: Callable[..., dict[str, str]],
) -> None:
    ran = ToolRun("Edit", "toolu_1", {}, ok=True)
    truth = GroundTruth(
        prompts=("Go.",),
        commits=2,
        lines_added=3,
        tool_runs=(ran, replace(ran, tool_use_id="toolu_2")),
        decisions=(Decision("Edit", "toolu_1", {}, accepted=True, source="config"),),
        failures=(Failure(500, "no", 1),),
    )
    found = counted(
        truth,
        events=[event("user_prompt"), event("tool_result"), *[event("tool_decision")] * 2],
        points=[
            ("claude_code.commit.count", 2, {}),
            ("claude_code.lines_of_code.count", 3, {"type": "added"}),
            ("claude_code.lines_of_code.count", 1, {"type": "removed"}),
            ("claude_code.active_time.total", 1.5, {"type": "user"}),
        ],
    )
    assert found == {
        "sessions": "none",
        "lines added": "as it was",
        "lines removed": "more",
        "commits": "as it was",
        "edit decisions": "none",
        "active time": "user",
        "prompts": "as it was",
        "tool results": "fewer",
        "tool decisions": "more",
        "failed requests": "none",
    }


@pytest.mark.parametrize(
    ("cost", "text", "value"), [(0.5, "0.5", "as it was"), (0.6, 0.5, "more"), (0.5, "?", "more")]
)
def test_costs_of_metric_and_events(
    counted: Callable[..., dict[str, str]], cost: float, text: object, value: str
) -> None:
    found = counted(
        GroundTruth(), events=[event("api_request", cost_usd=text)], points=[(COST, cost, {})]
    )
    assert found["cost against events"] == value


def test_what_was_not_to_be_exported_is_not_missed(viewer: Viewer) -> None:
    truth = GroundTruth(prompts=("Go.",))
    printed = {"OTEL_METRICS_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "otlp"}
    found = told(accounting(viewer(truth=truth, environment=printed).capture))
    assert found == {"prompts": "none"}


def test_how_sessions_end(viewer: Viewer) -> None:
    assert told(endings(viewer().capture)) == {"session": "exit code 0"}
    assert told(endings(viewer(exit_code=-9).capture)) == {"session": "had to be ended"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("otelHeadersHelper failed: /tmp/x/helper.sh: 3", "otelHeadersHelper failed: (path): N"),
        ("export to http://127.0.0.1:4318/v1/logs: 503", "export to (url) N"),
        ("\x1b[31mtelemetry\x1b[0m of 0123456789abcdef", "telemetry of (id)"),
        ("OTLP export timed out after 2000 ms", None),
        ("no stdin data received in 3s", None),
    ],
)
def test_what_is_said_on_stderr(viewer: Viewer, line: str, shown: str | None) -> None:
    found = [fact.value for fact in said(viewer(stderr=f"\n{line}\n").capture)]
    assert found == ([shown] if shown else [])


def test_a_long_line_is_cut() -> None:
    assert len(without_what_varies("word " * 100)) == 160


def test_what_is_asked_of_the_model(viewer: Viewer) -> None:
    truth = GroundTruth(
        api_calls=(
            call(effort="high", speed="fast"),
            call(auxiliary=True, model="haiku", streamed=False),
            call(auxiliary=True, probe=True, model="haiku"),
        )
    )
    collected = facts_of([([viewer(truth=truth).capture], [calls])])
    assert collected == {
        "calls": {
            "main loop": {
                value: ["working_day"]
                for value in ("effort high", "model opus", "speed fast", "streamed")
            },
            # Which session has them is decided by a race.
            "probes": {"model haiku, streamed": []},
            "side calls": {"model haiku, not streamed": []},
        }
    }


SUBJECT = SubjectFacts("npm:2.1.31", "/claude", "2.1.31")


def test_which_runs_tell_which_facts(viewer: Viewer) -> None:
    def theirs(view: Capture) -> Iterable[Fact]:
        yield Fact(Topic.ROUTE, "seen", view.run.scenario)

    inventory = inventory_of(
        SUBJECT,
        [
            viewer(truth=GroundTruth(prompts=("Go.",)), environment=OTLP).capture,
            viewer(scenario="tls_trusted", traits=(JUDGED_ONLY_BY_NAME,)).capture,
            viewer(scenario="fuzz", traits=(DRAWN,)).capture,
        ],
        [theirs],
    )
    assert inventory["scenarios"] == {"working_day": ["http/json"]}
    assert inventory["partial"] == {"fuzz": [], "tls_trusted": ["http/json"]}
    facts = inventory["facts"]
    assert sorted(facts["route"]["seen"]) == ["fuzz", "tls_trusted", "working_day"]
    assert facts["ending"]["session"] == {"exit code 0": ["tls_trusted", "working_day"]}
    assert facts["accounting"]["prompts"] == {"none": ["working_day"]}


def test_in_which_scenarios_something_is_sent(viewer: Viewer) -> None:
    names = ("user_prompt", "retention_sweep")
    views = (
        viewer(events=[event(name) for name in names]),
        viewer(events=[event("user_prompt")], scenario="toolbox"),
        viewer(events=[event("other")], scenario="toolbox"),
        viewer(events=[event("other")], scenario="identity"),
    )
    events = inventory_of(SUBJECT, [view.capture for view in views])["events"]
    assert events["user_prompt"]["presence"] == {
        "else": "always",
        "never": ["identity"],
        "sometimes": ["toolbox"],
    }
    assert "presence" not in events["retention_sweep"], "the pace of the machine decides it"


def test_what_a_gate_reveals(viewer: Viewer) -> None:
    def sent(view: CaptureView) -> tuple[Any, Any]:
        return view.capture, view.capture.exports

    closed = event("tool_result", prompt="<REDACTED>", tool_parameters='{"a": 1}')
    details = event("tool_result", prompt="Go.", tool_parameters='{"a": 1, "b": 2}', error="no")
    opened = {"OTEL_LOG_TOOL_DETAILS": "1"}
    found = gates_of(
        [
            sent(viewer(events=[closed])),
            sent(viewer(events=[details, event("other", x=1)], environment=opened)),
        ]
    )
    # Nobody knows what the other event has where the gate is closed.
    revealed = ["error", "prompt shown", "tool_parameters: b"]
    assert found == {"details": {"event tool_result": revealed}}
    assert gates_of([sent(viewer(events=[details], environment=opened))]) == {"details": {}}


@pytest.mark.parametrize(
    ("interval", "peers", "connections"),
    [
        ("300", "aab", ["kept"]),
        ("300", "abc", ["one for each request"]),
        ("300", "ab", None),
        ("60000", "aaa", None),
        ("soon", "aaa", None),
    ],
)
def test_whether_connections_are_kept(
    viewer: Viewer, exporter: Exporter, interval: str, peers: str, connections: object
) -> None:
    made = exporter(events=[event("user_prompt")])
    exports = [replace(made, peer=peer) for peer in peers]
    view = viewer(exports=exports, environment={"OTEL_METRIC_EXPORT_INTERVAL": interval})
    (found,) = transport_of([(view.capture, view.capture.exports)], "2.1.31").values()
    assert found.get("connections") == connections
    assert exports[0].signal is Signal.LOGS
