"""Small telemetry of two sessions, and relays that pass it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import SENT, Export
from harness.capture.observed import as_observed
from harness.capture.run import GroundTruth, Run, Secret, SubjectFacts
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.otlp.codec import encode
from harness.otlp.messages import (
    ENCODINGS,
    ExportLogsServiceRequest,
    ExportMetricsServiceRequest,
    ExportTraceServiceRequest,
    Request,
    signal_of,
)
from harness.otlp.model import Protocol
from harness.otlp.writing import put_attributes
from harness.relay_themes.passing.changes import parse
from harness.relay_themes.passing.every_field import every_field
from harness.relay_themes.passing.observed import Passing

#: Makes a capture of what was sent, and of what came out by outlet.
MakeCapture = Callable[..., Capture]

MS = 1_000_000
NOW = 1_795_737_253_818 * MS
PROMPT = "Please rename the blue walrus to Horatio."
EMAILS = ("ada@relay.example", "bob@relay.example")

DECLARATIONS = """
[[change]]
kind = "attribute_dropped"
attribute = "user.email"
reason = "nobody's mail is stored"

[[change]]
kind = "attribute_dropped"
attribute = "prompt*"
except = ["prompt.id", "prompt_length"]
events = ["user_prompt"]
reason = "no prompt is stored"

[[change]]
kind = "attribute_hashed"
attribute = "user.id"
reason = "users are told apart, not known"

[[change]]
kind = "attribute_added"
attribute = "collector.env"
signals = ["logs"]
reason = "where it came through"

[[change]]
kind = "sampled"
spans = ["claude_code.tool"]
by = "item"
ratio = 0.5
reason = "there are many"

[[must_not_come_out]]
attribute = "user.email"
reason = "the works council"

[[must_not_come_out]]
content = "prompt"
reason = "the works council"
"""


def identity(session: int) -> dict[str, Any]:
    return {
        "session.id": f"session-{session}",
        "user.id": f"{session}{'0123456789abcdef' * 2}",
        "user.email": EMAILS[session - 1],
    }


def owners(group: Any, blocks: Any, session: int) -> Any:
    put_attributes(
        group.resource.attributes, {"service.name": "claude-code", "host.name": f"host-{session}"}
    )
    group.resource.entity_refs.add(type="host", id_keys=["host.name"])
    block = blocks.add(schema_url="https://relay.example/1")
    block.scope.name, block.scope.version = "com.anthropic.claude_code", "2.1.332"
    return block


def metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for session in (1, 2):
        group = request.resource_metrics.add()
        block = owners(group, group.scope_metrics, session)
        tokens = block.metrics.add(
            name="claude_code.token.usage", unit="tokens", description="Tokens used"
        )
        tokens.sum.aggregation_temporality, tokens.sum.is_monotonic = 1, True
        for number, kind in enumerate(("input", "output")):
            point = tokens.sum.data_points.add(as_double=10.0**session + number)
            point.start_time_unix_nano, point.time_unix_nano = NOW, NOW + 500 * MS
            put_attributes(point.attributes, {**identity(session), "type": kind, "turn": 7})
        edits = block.metrics.add(name="claude_code.edits", unit="1", description="Edits")
        edits.sum.aggregation_temporality, edits.sum.is_monotonic = 1, True
        point = edits.sum.data_points.add(as_int=3 + session, flags=0)
        point.start_time_unix_nano, point.time_unix_nano = NOW, NOW + 500 * MS
        put_attributes(point.attributes, identity(session))
        exemplar = point.exemplars.add(time_unix_nano=NOW + 7 * MS, as_int=3)
        exemplar.trace_id, exemplar.span_id = b"\x06" * 16, b"\x06" * 8
        put_attributes(exemplar.filtered_attributes, {"tool_name": "Edit"})
        put_attributes(edits.metadata, {"prometheus.type": "counter"})
    return request


#: The events of each session, with the attributes of their own.
EVENTS: dict[str, dict[str, Any]] = {
    "user_prompt": {"prompt": PROMPT, "prompt_length": "41", "prompt.id": "p-1"},
    "tool_result": {"duration_ms": "13", "tool_name": "Bash", "sizes": []},
    "api_request": {"input_tokens": 12, "cost_usd": 0.25, "speed": "normal"},
}


def logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    for session in (1, 2):
        group = request.resource_logs.add()
        block = owners(group, group.scope_logs, session)
        for number, (name, own) in enumerate(EVENTS.items()):
            record = block.log_records.add()
            record.time_unix_nano = NOW + (10 * session + number) * MS
            record.observed_time_unix_nano = record.time_unix_nano
            record.body.string_value = f"claude_code.{name}"
            record.severity_text = "INFO"
            record.dropped_attributes_count = number
            put_attributes(
                record.attributes,
                {**identity(session), "event.name": name, "event.sequence": number, **own},
            )
    return request


def traces(count: int = 3) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for session in (1, 2):
        group = request.resource_spans.add()
        block = owners(group, group.scope_spans, session)
        for number in range(count):
            span = block.spans.add(name="claude_code.tool", kind=1, flags=256)
            span.trace_id = bytes([session]) * 16
            span.span_id = bytes([session, number + 1]) * 4
            span.start_time_unix_nano = NOW + number * MS
            span.end_time_unix_nano = NOW + (number + 5) * MS
            span.status.code = 1
            event = span.events.add(name="started", time_unix_nano=NOW + number * MS)
            put_attributes(event.attributes, {"attempt": 1})
            span.links.add(trace_id=b"\x05" * 16, span_id=b"\x05" * 8, flags=256)
            put_attributes(span.attributes, {**identity(session), "tool_name": "Bash"})
    return request


def export(request: Request, collector: str, sequence: int, protocol: Protocol) -> Export:
    return Export(
        sequence=sequence,
        protocol=protocol,
        signal=signal_of(request),
        method="POST",
        path=f"/v1/{signal_of(request)}",
        http_version="1.1",
        headers=(),
        body=encode(request, ENCODINGS[protocol]),
        arrived_unix_nano=NOW + sequence,
        peer="127.0.0.1:1",
        status=0 if protocol is Protocol.GRPC else 200,
        collector=collector,
    )


def make(
    sent: Sequence[Request],
    came: dict[str, Sequence[Request]],
    declarations: str = "",
    scenario: str = "pass_on",
    protocol: Protocol = Protocol.GRPC,
    out: Protocol = Protocol.GRPC,
) -> Capture:
    """Make the capture of requests that were sent, and of those that came out by outlet."""
    declared = parse(declarations, "declared.toml")
    passing = Passing(tuple(came), declared.changes, declared.duties)
    exports = [export(request, SENT, n, protocol) for n, request in enumerate(sent)]
    for outlet, requests in came.items():
        exports += [export(each, outlet, len(exports) + n, out) for n, each in enumerate(requests)]
    run = Run(
        scenario=scenario,
        protocol=protocol,
        subject=SubjectFacts("otelcol", "/bin/otelcol", "0.161.0"),
        argv=(),
        environment={},
        started_unix_nano=NOW,
        ended_unix_nano=NOW + 10_000 * MS,
        exit_code=0,
        stdout="",
        stderr="",
        truth=GroundTruth(secrets=(Secret("prompt", PROMPT, 16),)),
        observed=as_observed(passing),
    )
    return Capture(run, tuple(exports))


@pytest.fixture(name="make", scope="session")
def make_fixture() -> MakeCapture:
    return make


@pytest.fixture(scope="session")
def telemetry() -> Callable[[], tuple[Request, ...]]:
    """New requests of all three signals."""
    return lambda: (metrics(), logs(), traces())


def declared_relay(request: Request) -> Request:
    """Do what the declarations say."""
    made: Any = type(request)()
    made.CopyFrom(request)
    for group in (
        *getattr(made, "resource_metrics", ()),
        *getattr(made, "resource_logs", ()),
        *getattr(made, "resource_spans", ()),
    ):
        for metric in (m for block in getattr(group, "scope_metrics", ()) for m in block.metrics):
            for point in metric.sum.data_points:
                redact(point.attributes)
        for record in (r for block in getattr(group, "scope_logs", ()) for r in block.log_records):
            redact(record.attributes)
            put_attributes(record.attributes, {"collector.env": f"{len(record.attributes)}"})
        for block in getattr(group, "scope_spans", ()):
            kept = [span for n, span in enumerate(block.spans) if n % 2]
            for span in kept:
                redact(span.attributes)
            copies = [type(span).FromString(span.SerializeToString()) for span in kept]
            del block.spans[:]
            block.spans.extend(copies)
    assert isinstance(made, Request)
    return made


def redact(attributes: Any) -> None:
    for number in reversed(range(len(attributes))):
        if attributes[number].key in ("user.email", "prompt"):
            del attributes[number]
        elif attributes[number].key == "user.id":
            was = attributes[number].value.string_value
            attributes[number].value.string_value = f"digest-{was[:1]}"


@pytest.fixture(scope="session")
def faithful() -> Capture:
    """A relay that changes nothing."""
    requests = (metrics(), logs(), traces())
    return make(requests, {"grpc": requests, "file": requests})


@pytest.fixture(scope="session")
def declaring() -> Capture:
    """A relay that changes what is declared."""
    requests: tuple[Request, ...] = (metrics(), logs(), traces(count=20))
    passed = tuple(map(declared_relay, requests))
    return make(requests, {"grpc": passed}, DECLARATIONS, scenario="pass_on_changed")


@pytest.fixture(scope="session")
def disturbed() -> tuple[Capture, ...]:
    """A relay that changes nothing, in every scenario in which it is disturbed."""
    requests = (metrics(), logs(), traces())

    def of(scenario: str, requests: Sequence[Request] = requests, *traits: str) -> Capture:
        capture = make(requests, {"grpc": requests}, scenario=scenario)
        return replace(capture, run=replace(capture.run, traits=traits))

    fields = tuple(each.message for each in every_field())
    by_name = JUDGED_ONLY_BY_NAME
    return (
        of("side_by_side"),
        of("every_field", fields, by_name),
        of("restart", requests, by_name),
        refused_once(of("downstream_refuses", requests, by_name)),
        of("killed", requests, by_name),
        of("downstream_slow", requests, by_name),
        of("downstream_away", requests, by_name),
    )


def refused_once(capture: Capture) -> Capture:
    """Let the downstream refuse each request at first, and take it two seconds later."""
    came = [export for export in capture.exports if export.collector == "grpc"]
    refused = [
        replace(
            export,
            status=14,
            rejected="to be sent again after 1 s",
            answered="UNAVAILABLE",
            arrived_unix_nano=export.arrived_unix_nano - 2_000 * MS,
        )
        for export in came
    ]
    sent = [export for export in capture.exports if export.collector == SENT]
    return replace(capture, exports=(*sent, *refused, *came))


@pytest.fixture(scope="session")
def undeclared(declaring: Capture) -> Capture:
    """The relay that changes what is declared, of which nothing is declared."""
    return replace(declaring, run=replace(declaring.run, observed=as_observed(Passing(("grpc",)))))
