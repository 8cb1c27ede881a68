"""Values that nobody should send are findings, or another check's; never a fault of ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import ApiCall, Decision, GroundTruth, ToolRun
from harness.findings import Judged, NotExercised
from harness.judging.judge import Judge
from harness.judging.search.sightings import sightings
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Exporter, Findings, Require, Viewer

TOKENS = "claude_code.token.usage"
ODD = ([7], {"a": 7}, b"7")
_ANSWER = ApiCall("opus", 200, auxiliary=False, streamed=True, request_id="r", input_tokens=7)
BILLED = GroundTruth(api_calls=(_ANSWER,))


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": attributes}


@pytest.mark.parametrize("value", ODD)
def test_tokens_that_are_no_number(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings, value: object
) -> None:
    asked = requirement("event_tokens", name="api_request", path=("attributes", "input_tokens"))
    view = viewer(events=[event("api_request", model="opus", input_tokens=value)], truth=BILLED)
    assert findings(judge.judge(asked, [view]).outcome) == ["0 times"]


@pytest.mark.parametrize("value", ODD)
def test_a_model_that_is_no_text(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings, value: object
) -> None:
    asked = requirement("tokens_billed", kind="metric", name=TOKENS, calls="all")
    view = viewer(points=[(TOKENS, 7, {"type": "input", "model": value})], truth=BILLED)
    assert findings(judge.judge(asked, [view]).outcome) == ["0", "7"]


@pytest.mark.parametrize("value", ODD)
def test_a_tool_id_that_is_no_text_is_none(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings, value: object
) -> None:
    asked = requirement("tool_outcome", name="tool_result", path=("attributes", "success"))
    result = event("tool_result", tool_name="Bash", tool_use_id=value, success="false")
    view = viewer(events=[result], truth=GroundTruth(tool_runs=(ToolRun("Bash", "t1", {}, True),)))
    assert findings(judge.judge(asked, [view]).outcome) == ['"false" (string)']


@pytest.mark.parametrize("check", ["increasing", "without_gaps"])
@pytest.mark.parametrize("value", ODD)
def test_a_session_id_that_is_no_text_is_a_session(
    judge: Judge,
    requirement: Require,
    viewer: Viewer,
    findings: Findings,
    check: str,
    value: object,
) -> None:
    asked = requirement(check, kind="events", path=("attributes", "event.sequence"))
    events = [
        event("x", **{"session.id": session, "event.sequence": number})
        for session, number in ((value, 1), (value, 2), ("other", 1))
    ]
    assert findings(judge.judge(asked, [viewer(events=events)]).outcome) == []


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ([float("nan")], ["nan"]),
        ([float("inf")], ["inf"]),
        ([1.5], ["1.5"]),
        ([0.5, 0.5], []),
    ],
)
def test_counts_that_are_not_whole(
    judge: Judge,
    requirement: Require,
    viewer: Viewer,
    findings: Findings,
    values: list[float],
    seen: list[str],
) -> None:
    made = Decision("Edit", "t1", {"file_path": "a.py"}, True, "config")
    attributes = {"tool_name": "Edit", "decision": "accept", "language": "Python"}
    view = viewer(
        points=[("edits", value, attributes) for value in values],
        truth=GroundTruth(decisions=(made,)),
        protocol=Protocol.GRPC,
    )
    asked = requirement("edits_decided", kind="metric", name="edits")
    assert findings(judge.judge(asked, [view]).outcome) == seen


def test_edits_of_a_running_total_are_counted_once(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings
) -> None:
    made = Decision("Edit", "t1", {"file_path": "a.py"}, True, "config")
    attributes = {"tool_name": "Edit", "decision": "accept", "language": "Python"}
    view = viewer(
        points=[("edits", 1, attributes, {"temporality": "cumulative"})] * 2,
        truth=GroundTruth(decisions=(made,)),
    )
    asked = requirement("edits_decided", kind="metric", name="edits")
    assert findings(judge.judge(asked, [view]).outcome) == []


# --- the place of a finding begins with its run


def test_what_was_never_billed_is_told_with_its_run(
    judge: Judge, requirement: Require, viewer: Viewer
) -> None:
    points = [(TOKENS, n, {"type": "input", "model": m}) for n, m in ((7, "opus"), (1, "other"))]
    asked = requirement("tokens_billed", kind="metric", name=TOKENS, calls="all")
    outcome = judge.judge(asked, [viewer(points=points, truth=BILLED)]).outcome
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert finding.where == (
        f"working_day over http/json · metric {TOKENS} · model other · type input"
    )


def test_a_stream_that_comes_twice_is_told_with_its_run(
    judge: Judge, requirement: Require, viewer: Viewer
) -> None:
    asked = requirement("one_point_per_stream", kind="metrics", name="")
    outcome = judge.judge(asked, [viewer(points=[("m", 1, {}), ("m", 1, {})])]).outcome
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert finding.where == "working_day over http/json · metrics export 1"


# --- several runs of one protocol


def test_a_protocol_is_all_of_its_runs(
    judge: Judge, requirement: Require, viewer: Viewer, findings: Findings
) -> None:
    asked = requirement("same_everywhere", kind="metrics", name="", scenarios=())
    views = [
        viewer(points=[("m", 1, {key: "1"})], protocol=protocol, scenario=scenario)
        for protocol, scenario, key in (
            (Protocol.GRPC, "one", "only.here"),
            (Protocol.GRPC, "two", "k"),
            (Protocol.HTTP_JSON, "one", "k"),
            (Protocol.HTTP_JSON, "two", "k"),
        )
    ]
    assert findings(judge.judge(asked, views).outcome) == ["not over http/json"]
    assert judge.judge(asked, views[:2]).outcome == NotExercised("only one protocol was run")


# --- canaries in escapes

CANARY = "qKanary7Zx"
HIDDEN = GroundTruth(canaries={"prompt": CANARY})
ESCAPES = ["".join(rf"\u{byte:{form}}" for byte in CANARY.encode()) for form in ("04x", "04X")]


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("written", ESCAPES)
def test_an_escaped_canary_in_a_value(viewer: Viewer, protocol: Protocol, written: str) -> None:
    capture = viewer(events=[event("x", k=written)], protocol=protocol, truth=HIDDEN).capture
    found = sightings(capture)
    assert ("logs x attributes.k", "escaped") in {(each.place, each.form) for each in found}


@pytest.mark.parametrize("written", [*ESCAPES, rf"\u0071{CANARY[1:]}", rf"{CANARY[:-1]}\u0078"])
def test_a_body_that_escapes_some_letters(viewer: Viewer, exporter: Exporter, written: str) -> None:
    plain = exporter(events=[event("x", k=CANARY)]).body.decode()
    body = plain.replace(CANARY, written)
    assert json.loads(body) == json.loads(plain)
    capture = viewer(exports=[exporter(body=body.encode())], truth=HIDDEN).capture
    found = sightings(capture)
    assert ("logs x attributes.k", "raw") in {(each.place, each.form) for each in found}
