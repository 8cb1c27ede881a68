"""The emitter follows the documented telemetry variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import pytest

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.collector.collector import Collector
from harness.fakes.messages_api import MessagesApi
from harness.fakes.script import Say, Step, UseTool
from harness.otlp.model import Attributes, DataPoint, Event, Protocol, Signal
from harness.running.recorder import run_session
from harness.subject.binary import resolve
from harness.subject.headless import run_headless
from harness.subject.sandbox import Sandbox

PROMPT = "a prompt like no other"
ACCOUNT = "b9d4c4de-2f3a-4c77-9e0a-6a5b1c2d3e4f"


def session(
    env: Mapping[str, str],
    *,
    version: str = "2.1.240",
    script: Sequence[Step] = (Say("done"),),
    protocol: Protocol = Protocol.HTTP_JSON,
) -> Capture:
    capture = run_session(
        resolve(f"reference:{version}", progress=print),
        prompt=PROMPT,
        script=script,
        protocol=protocol,
        env=env,
    )
    assert (capture.run.exit_code, capture.run.stderr) == (0, "")
    return capture


def all_attributes(capture: Capture) -> list[Attributes]:
    found = [item.attributes for item in capture.data_points()]
    found += [item.attributes for item in capture.events()]
    assert len(found) > 5
    return found


@pytest.mark.parametrize(
    ("env", "signals"),
    [
        ({"CLAUDE_CODE_ENABLE_TELEMETRY": "0"}, set()),
        ({"CLAUDE_CODE_ENABLE_TELEMETRY": ""}, set()),
        ({"OTEL_METRICS_EXPORTER": "", "OTEL_LOGS_EXPORTER": "none"}, set()),
        ({"OTEL_LOGS_EXPORTER": ""}, {Signal.METRICS}),
        ({"OTEL_METRICS_EXPORTER": "none"}, {Signal.LOGS}),
        ({"OTEL_METRICS_EXPORTER": "console, otlp"}, {Signal.METRICS, Signal.LOGS}),
    ],
)
def test_opt_in(env: dict[str, str], signals: set[Signal]) -> None:
    capture = session(env)

    assert len(capture.run.truth.api_calls) == 1
    assert {export.signal for export in capture.exports} == signals


@pytest.mark.parametrize("version", ["2.1.31", "2.1.240"])
def test_the_prompt_is_shown_on_demand(version: str) -> None:
    capture = session({"OTEL_LOG_USER_PROMPTS": "1"}, version=version)

    (event,) = capture.events("user_prompt")
    assert event.attributes["prompt"] == PROMPT
    assert str(event.attributes["prompt_length"]) == str(len(PROMPT))


@pytest.mark.parametrize(
    ("env", "shown"),
    [
        ({}, False),
        ({"OTEL_LOG_ASSISTANT_RESPONSES": "1"}, True),
        ({"OTEL_LOG_USER_PROMPTS": "1"}, True),
        ({"OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOG_ASSISTANT_RESPONSES": ""}, True),
        ({"OTEL_LOG_USER_PROMPTS": "1", "OTEL_LOG_ASSISTANT_RESPONSES": "0"}, False),
    ],
    ids=["closed", "its own", "of the prompts", "empty", "closed again"],
)
def test_the_answer_is_shown_on_demand(env: dict[str, str], shown: bool) -> None:
    capture = session(env, version="2.1.193")

    (event,) = capture.events("assistant_response")
    (call,) = capture.run.truth.api_calls
    assert event.attributes["response"] == (call.said if shown else "<REDACTED>")
    assert event.attributes["response_length"] == len(call.said)
    assert event.attributes["request_id"] == call.request_id
    assert "message.uuid" not in event.attributes


@pytest.mark.parametrize("version", ["2.1.31", "2.1.240"])
def test_the_session_id_can_be_left_out(version: str) -> None:
    capture = session({"OTEL_METRICS_INCLUDE_SESSION_ID": "false"}, version=version)

    assert not any("session.id" in each for each in all_attributes(capture))


def test_the_version_can_be_taken_in() -> None:
    capture = session({"OTEL_METRICS_INCLUDE_VERSION": "true"}, version="2.1.31")

    assert {each.get("app.version") for each in all_attributes(capture)} == {"2.1.31"}


@pytest.mark.parametrize(("version", "entrypoint"), [("2.1.151", None), ("2.1.152", "sdk-cli")])
def test_the_entrypoint_can_be_taken_in(version: str, entrypoint: str | None) -> None:
    capture = session({"OTEL_METRICS_INCLUDE_ENTRYPOINT": "true"}, version=version)

    assert {each.get("app.entrypoint") for each in all_attributes(capture)} == {entrypoint}


@pytest.mark.parametrize(("switch", "account"), [("", ACCOUNT), ("false", None)])
def test_the_account_can_be_left_out(switch: str, account: str | None) -> None:
    capture = session(
        {
            "CLAUDE_CODE_ACCOUNT_UUID": ACCOUNT,
            "CLAUDE_CODE_ORGANIZATION_UUID": "an-organization",
            "OTEL_METRICS_INCLUDE_ACCOUNT_UUID": switch,
        }
    )

    assert {each.get("user.account_uuid") for each in all_attributes(capture)} == {account}
    assert {each.get("organization.id") for each in all_attributes(capture)} == {"an-organization"}


@pytest.mark.parametrize(
    ("version", "switch", "on_points", "on_events"),
    [
        ("2.1.160", "", None, None),
        ("2.1.161", "", "the platform", None),
        ("2.1.240", "", "the platform", "the platform"),
        ("2.1.240", "false", None, "the platform"),
    ],
)
def test_custom_resource_attributes(
    version: str, switch: str, on_points: str | None, on_events: str | None
) -> None:
    capture = session(
        {
            "OTEL_RESOURCE_ATTRIBUTES": "team.id=the%20platform,os.type=other,terminal.type=other",
            "OTEL_METRICS_INCLUDE_RESOURCE_ATTRIBUTES": switch,
        },
        version=version,
    )

    items: tuple[DataPoint | Event, ...] = (*capture.data_points(), *capture.events())
    (resource,) = {item.resource for item in items}
    assert resource.attributes["team.id"] == "the platform"
    assert resource.attributes["os.type"] in ("linux", "darwin")
    assert {point.attributes.get("team.id") for point in capture.data_points()} == {on_points}
    assert {event.attributes.get("team.id") for event in capture.events()} == {on_events}
    # A custom key never replaces a standard attribute.
    assert {each["terminal.type"] for each in all_attributes(capture)} == {"dumb"}


@pytest.mark.parametrize("protocol", list(Protocol))
def test_short_intervals_export_while_the_session_runs(protocol: Protocol) -> None:
    script: list[Step] = [UseTool("Bash", {"command": "sleep 0.3"}) for _ in range(2)]
    capture = session(
        {"OTEL_METRIC_EXPORT_INTERVAL": "40", "OTEL_LOGS_EXPORT_INTERVAL": "40"},
        script=[*script, Say("done")],
        protocol=protocol,
    )

    signals = [export.signal for export in capture.accepted]
    assert signals.count(Signal.METRICS) > 1
    assert signals.count(Signal.LOGS) > 1
    # Delta sums: what was exported before is not exported again.
    billed = sum(call.input_tokens for call in capture.run.truth.api_calls)
    points = capture.data_points("claude_code.token.usage", type="input")
    assert len(points) > 1
    assert sum(point.value or 0 for point in points) == billed
    assert len(capture.events("api_request")) == len(capture.run.truth.api_calls)


def test_cumulative_temporality_on_demand() -> None:
    capture = session({"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative"})

    assert {point.metric.temporality for point in capture.data_points()} == {"cumulative"}


@pytest.mark.parametrize(("version", "clean"), [("2.1.127", False), ("2.1.128", True)])
def test_what_bash_inherits(version: str, clean: bool) -> None:
    script: list[Step] = [UseTool("Bash", {"command": "! env | grep -q ^OTEL_"}), Say("done")]
    capture = session({}, version=version, script=script)

    assert [run.ok for run in capture.run.truth.tool_runs] == [clean]


def test_the_installation_keeps_its_user_id() -> None:
    with Sandbox() as sandbox:
        (sandbox.home / ".claude.json").write_text('{"numStartups": 3}', encoding="utf-8")
        ids = set()
        for _ in range(2):
            exports = run_in(sandbox, {})
            ids |= {
                item.attributes["user.id"]
                for export in exports
                for item in chain[DataPoint | Event](export.data_points, export.events)
            }
        assert len(ids) == 1
        assert '"numStartups": 3' in (sandbox.home / ".claude.json").read_text(encoding="utf-8")


def run_in(sandbox: Sandbox, env: Mapping[str, str]) -> tuple[Export, ...]:
    """One session against a collector that ``{http}`` and ``{grpc}`` in ``env`` stand for."""
    settings = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "{http}",
        **env,
    }
    with Collector() as collector, MessagesApi([], prompts=[PROMPT]) as api:
        places = {"http": collector.http_endpoint, "grpc": collector.grpc_endpoint}
        done = run_headless(
            resolve("reference", progress=print),
            sandbox,
            PROMPT,
            api_url=api.base_url,
            env={name: value.format(**places) for name, value in settings.items()},
        )
        assert (done.exit_code, done.timed_out) == (0, False), done.last_output
        return collector.exports


def test_each_signal_goes_its_own_way() -> None:
    with Sandbox() as sandbox:
        exports = run_in(
            sandbox,
            {
                "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{grpc}",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "{http}/v1/logs",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            },
        )

    assert {(export.signal, export.protocol, export.path) for export in exports} == {
        (
            Signal.METRICS,
            Protocol.GRPC,
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        ),
        (Signal.LOGS, Protocol.HTTP_JSON, "/v1/logs"),
    }


@pytest.mark.parametrize("protocol", list(Protocol))
def test_headers_of_both_kinds_are_merged(protocol: Protocol) -> None:
    with Sandbox() as sandbox:
        exports = run_in(
            sandbox,
            {
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_ENDPOINT": "{grpc}" if protocol is Protocol.GRPC else "{http}",
                "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20one,x-kind=general",
                "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-kind=logs",
            },
        )

    seen = {
        export.signal: (export.header("authorization"), export.header("x-kind"))
        for export in exports
    }
    assert seen == {
        Signal.METRICS: ("Bearer one", "general"),
        Signal.LOGS: ("Bearer one", "logs"),
    }
