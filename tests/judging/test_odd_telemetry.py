"""Telemetry that nobody expects is judged like any other: found, or wrong, but never our fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Decision, Failure, GroundTruth, ToolRun
from harness.findings import Judged
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.judging.search.sightings import sightings
from harness.otlp.codec import encode
from harness.otlp.messages import (
    ENCODINGS,
    ExportLogsServiceRequest,
    ExportTraceServiceRequest,
    Request,
)
from harness.otlp.model import Protocol, Signal

if TYPE_CHECKING:
    from tests.conftest import Exporter, Findings, Viewer

TEXT = "qKanary7Zx"

EDIT = Decision("Edit", "t", {"file_path": "a.py"}, True, "config")
COUNTED = {"tool_name": "Edit", "decision": "accept", "language": "Python"}
CALL = ApiCall("m", 200, False, True, "r", 7)
RAN = ToolRun("Bash", "t1", {"command": "ls"}, True)


def places(view: CaptureView) -> set[tuple[str, str]]:
    run = replace(view.run, truth=GroundTruth(canaries={"prompt": TEXT}))
    searched = replace(view.capture, run=run)
    return {(each.place, each.form) for each in sightings(searched)}


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"body": name, "attributes": attributes}


@pytest.mark.parametrize(
    "escaped",
    [
        "".join(f"\\u{ord(letter):04x}" for letter in TEXT),
        "".join(f"\\u{ord(letter):04X}" for letter in TEXT),
        f"\\u{ord(TEXT[0]):04x}{TEXT[1:]}",
    ],
    ids=["all", "upper case", "one letter"],
)
def test_escapes_of_json_hide_nothing(viewer: Viewer, exporter: Exporter, escaped: str) -> None:
    plain = exporter(events=[event("x", k=TEXT)]).body.decode()
    export = exporter(body=plain.replace(TEXT, escaped).encode())
    assert places(viewer(exports=[export])) == {("logs x attributes.k", "raw")}


def test_bytes_in_json_are_one_sighting(viewer: Viewer) -> None:
    view = viewer(events=[event("x", k=TEXT.encode())])
    assert places(view) == {("logs x attributes.k", "raw")}


def log_request() -> tuple[ExportLogsServiceRequest, Any, Any]:
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    record = scope.log_records.add()
    record.body.string_value = "x"
    record.attributes.add(key="k").value.string_value = TEXT
    return message, scope, record


def scope_name(scope: Any, record: Any) -> None:
    scope.scope.name = TEXT


def scope_attribute(scope: Any, record: Any) -> None:
    scope.scope.attributes.add(key="z").value.string_value = TEXT


def schema_url(scope: Any, record: Any) -> None:
    scope.schema_url = TEXT


def event_name(scope: Any, record: Any) -> None:
    record.event_name = f"hi {TEXT}"


def severity_text(scope: Any, record: Any) -> None:
    record.severity_text = TEXT


def repeated_key(scope: Any, record: Any) -> None:
    record.attributes.add(key="j").value.string_value = TEXT
    record.attributes.add(key="j").value.string_value = "clean"


def grpc_view(viewer: Viewer, exporter: Exporter, message: Request, signal: Signal) -> CaptureView:
    body = encode(message, ENCODINGS[Protocol.GRPC])
    export = exporter(body=body, protocol=Protocol.GRPC, signal=signal)
    view: CaptureView = viewer(exports=[export], protocol=Protocol.GRPC)
    return view


@pytest.mark.parametrize(
    "hide", [scope_name, scope_attribute, schema_url, event_name, severity_text, repeated_key]
)
def test_a_second_place_is_not_masked_by_the_first(
    viewer: Viewer, exporter: Exporter, hide: Callable[[Any, Any], None]
) -> None:
    message, scope, record = log_request()
    hide(scope, record)
    assert len(places(grpc_view(viewer, exporter, message, Signal.LOGS))) == 2


@pytest.mark.parametrize("where", ["link", "event name"])
def test_a_second_place_of_a_span_is_not_masked(
    viewer: Viewer, exporter: Exporter, where: str
) -> None:
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(name="w")
    span.attributes.add(key="k").value.string_value = TEXT
    if where == "link":
        span.links.add().attributes.add(key="z").value.string_value = TEXT
    else:
        span.events.add(name=TEXT)
    assert len(places(grpc_view(viewer, exporter, message, Signal.TRACES))) == 2


Asked = Callable[..., Any]


@pytest.mark.parametrize("model", [["a"], {"a": "b"}, 4.5])
def test_a_model_of_any_type_is_another_model(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings, model: object
) -> None:
    view = viewer(
        points=[("t", 1, {"model": model, "type": "input"})], truth=GroundTruth(api_calls=(CALL,))
    )
    asked = requirement("tokens_billed", kind="metric", name="t", calls="all")
    assert findings(judge.judge(asked, [view]).outcome)


def test_a_model_of_digits_keeps_its_name(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings
) -> None:
    truth = GroundTruth(api_calls=(ApiCall("4", 200, False, True, "r", 1),))
    view = viewer(points=[("t", 1, {"model": "4", "type": "input"})], truth=truth)
    asked = requirement("tokens_billed", kind="metric", name="t", calls="all")
    assert findings(judge.judge(asked, [view]).outcome) == []


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), 2.0])
def test_edits_are_counted_exactly(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings, value: float
) -> None:
    view = viewer(points=[("e", value, COUNTED)], truth=GroundTruth(decisions=(EDIT,)))
    outcome = judge.judge(requirement("edits_decided", kind="metric", name="e"), [view]).outcome
    assert findings(outcome) == [f"{value:g}"]


def test_cumulative_edits_are_not_added_up(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings
) -> None:
    points = [("e", n, COUNTED, {"temporality": "cumulative"}) for n in (1, 2)]
    view = viewer(points=points, truth=GroundTruth(decisions=(EDIT, EDIT)))
    outcome = judge.judge(requirement("edits_decided", kind="metric", name="e"), [view]).outcome
    assert findings(outcome) == []


def test_the_latest_cumulative_point_counts_whenever_it_arrives(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings
) -> None:
    points: list[Any] = [
        ("l", 5.0, {}, {"temporality": "cumulative", "time": 9}),
        ("l", 2.0, {}, {"temporality": "cumulative", "time": 5}),
    ]
    view = viewer(points=points, truth=GroundTruth(lines_added=5))
    asked = requirement("counted", kind="metric", name="l", when="an added line")
    assert findings(judge.judge(asked, [view]).outcome) == []


@pytest.mark.parametrize("value", ["nan", "inf", "1e400"])
def test_no_number_is_not_short(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings, value: str
) -> None:
    asked = requirement("shorter_than_the_run", name="x", path=("attributes", "n"))
    assert findings(judge.judge(asked, [viewer(events=[event("x", n=value)])]).outcome)


@pytest.mark.parametrize(
    "value", [["1"], {"a": 1}, True, "[" * 100_000], ids=["list", "map", "truth", "deep"]
)
@pytest.mark.parametrize(
    ("check", "params"),
    [
        ("cost_agrees", {}),
        ("event_tokens", {}),
        ("failures_told", {"fact": "attempts"}),
        ("prompt_length", {}),
        ("tool_outcome", {}),
        ("tool_name", {}),
        ("parameters", {"tool": "Bash"}),
        ("input_repeated", {}),
    ],
)
def test_odd_values_are_wrong_values(
    judge: Judge,
    requirement: Asked,
    viewer: Viewer,
    check: str,
    params: Mapping[str, Any],
    value: object,
) -> None:
    truth = GroundTruth(
        prompts=("abc",), api_calls=(CALL,), tool_runs=(RAN,), failures=(Failure(500, "m", 2),)
    )
    view = viewer(
        events=[event("x", model="m", tool_name="Bash", tool_use_id="t1", input_tokens=value)],
        truth=truth,
    )
    asked = requirement(check, name="x", path=("attributes", "input_tokens"), **params)
    outcome = judge.judge(asked, [view]).outcome
    assert isinstance(outcome, Judged)
    if check != "cost_agrees":  # where there is no number, no cost is told
        assert outcome.findings


def test_an_id_of_another_type_is_none(
    judge: Judge, requirement: Asked, viewer: Viewer, findings: Findings
) -> None:
    view = viewer(
        events=[event("tool_result", tool_name="Bash", tool_use_id=["t1"], n="true")],
        truth=GroundTruth(tool_runs=(RAN,)),
    )
    asked = requirement("tool_outcome", name="tool_result", path=("attributes", "n"))
    assert findings(judge.judge(asked, [view]).outcome) == []
