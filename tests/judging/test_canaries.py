"""Where a canary is found, in every place and form, and where it may be."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import GroundTruth
from harness.contract.requirement import Requirement
from harness.findings import Judged, NotExercised, Outcome
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.judging.search.sightings import Sighting, sightings
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Exporter, Findings, Require, Viewer

TEXT = "qKanary7Zx"
TRUTH = GroundTruth(canaries={"prompt": TEXT})

Ask = Callable[..., Outcome]
Find = Callable[..., set[tuple[str, str]]]


@pytest.fixture
def find(viewer: Viewer) -> Find:
    """(place, form) of each sighting of the canary."""

    def found(**made: Any) -> set[tuple[str, str]]:
        seen = sightings(viewer(truth=TRUTH, **made).capture)
        assert {each.canary for each in seen} <= {"prompt"}
        return {(each.place, each.form) for each in seen}

    return found


def event(body: object = "claude_code.x", **attributes: Any) -> dict[str, Any]:
    return {"body": body, "attributes": attributes}


# --- places


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize(
    ("made", "places"),
    [
        ({"events": [event(k=TEXT)]}, {"logs x attributes.k"}),
        ({"events": [event(k=f"<{TEXT}>")]}, {"logs x attributes.k"}),
        ({"events": [event(**{TEXT: 1})]}, {"logs x attributes (a key)"}),
        ({"events": [event(k=["a", TEXT])]}, {"logs x attributes.k"}),
        ({"events": [event(k={"a": {"b": TEXT}})]}, {"logs x attributes.k.a.b"}),
        ({"events": [event(k=[{"a": [TEXT]}])]}, {"logs x attributes.k.a"}),
        ({"events": [event(k={TEXT: 1})]}, {"logs x attributes.k (a key)"}),
        ({"events": [event(f"said {TEXT}")]}, {"logs (no name) body"}),
        ({"events": [event({"a": TEXT})]}, {"logs (no name) body.a"}),
        ({"events": [event()], "resource": {"k": TEXT}}, {"logs resource.k"}),
        ({"points": [("m", 1, {"k": TEXT})]}, {"metrics m attributes.k"}),
        ({"points": [("m", 1, {})], "resource": {"k": TEXT}}, {"metrics resource.k"}),
        ({"points": [("m", 1, {}, {"unit": TEXT})]}, {"metrics m definition"}),
        ({"points": [("m", 1, {}, {"description": TEXT})]}, {"metrics m definition"}),
        ({"points": [(TEXT, 1, {})]}, {f"metrics {TEXT} definition"}),
        ({"spans": [{"attributes": {"k": TEXT}}]}, {"traces work attributes.k"}),
        ({"spans": [{}], "resource": {"k": TEXT}}, {"traces resource.k"}),
        ({"spans": [{"events": [("e", {"k": TEXT})]}]}, {"traces work event e.k"}),
        ({"spans": [{"status": f"no {TEXT}"}]}, {"traces work status"}),
        ({"spans": [{"name": TEXT}]}, {"traces span name"}),
        ({"events": [event(k="other")]}, set()),
    ],
)
def test_each_place(find: Find, protocol: Protocol, made: Any, places: set[str]) -> None:
    assert find(protocol=protocol, **made) == {(place, "raw") for place in places}


@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP_PROTOBUF])
def test_bytes_are_searched(find: Find, protocol: Protocol) -> None:
    found = find(events=[event(k=b"\x00\xff" + TEXT.encode())], protocol=protocol)
    assert found == {("logs x attributes.k", "raw")}


def test_bytes_in_json_are_searched(find: Find) -> None:
    assert ("logs x attributes.k", "raw") in find(events=[event(k=b"\xff" + TEXT.encode())])


def test_a_span_event_that_is_called_by_it_is_found(find: Find) -> None:
    ((place, form),) = find(spans=[{"events": [(TEXT, {})]}])
    assert place.startswith("traces ")
    assert form == "raw"


def test_several_places_of_several_exports(find: Find, exporter: Exporter) -> None:
    exports = [exporter(events=[event(k=TEXT)], sequence=n) for n in (1, 2)]
    found = find(exports=exports, points=[("m", 1, {"k": TEXT, "l": TEXT})])
    assert found == {
        ("logs x attributes.k", "raw"),
        ("metrics m attributes.k", "raw"),
        ("metrics m attributes.l", "raw"),
    }


def test_the_request_itself_is_searched(find: Find, exporter: Exporter) -> None:
    export = exporter(
        events=[event()], headers=(("X-Key", f"Bearer {TEXT}"),), path=f"/v1/logs?{TEXT}"
    )
    assert find(exports=[export]) == {("logs header x-key", "raw"), ("logs path", "raw")}


def test_a_refused_export_is_searched_too(find: Find, exporter: Exporter) -> None:
    export = exporter(events=[event(k=TEXT)], rejected="no such path", status=404)
    assert find(exports=[export]) == {("logs x attributes.k", "raw")}


def test_bodies_that_cannot_be_decoded_are_searched(find: Find, exporter: Exporter) -> None:
    broken = exporter(body=b"{" + TEXT.encode())
    assert find(exports=[broken]) == {("logs body", "raw")}
    unknown = exporter(body=TEXT.encode(), signal=None, method="GET")
    assert find(exports=[unknown]) == {("unrecognised body", "raw")}
    headers = (("Content-Encoding", "br"),)
    odd = exporter(body=TEXT.encode(), headers=headers)
    assert find(exports=[odd]) == {("logs body", "raw")}


@pytest.mark.parametrize("coding", ["gzip", "GZIP"])
def test_a_compressed_body_is_searched_decompressed(
    find: Find, exporter: Exporter, coding: str
) -> None:
    headers = (("Content-Encoding", coding),)
    body = gzip.compress(exporter(events=[event(k=TEXT)]).body)
    assert TEXT.encode() not in body
    assert find(exports=[exporter(body=body, headers=headers)]) == {("logs x attributes.k", "raw")}
    broken = gzip.compress(b"{" + TEXT.encode())
    assert find(exports=[exporter(body=broken, headers=headers)]) == {("logs body", "raw")}


# --- forms

RAW = TEXT.encode()
FORMS = {
    "base64": [base64.b64encode(b"x" * n + RAW + b"after").decode() for n in range(6)],
    "base64 at its end": [base64.b64encode(b"x" * n + RAW).decode() for n in range(3)],
    "base64 of urls": [base64.urlsafe_b64encode(b"\xff" * n + RAW).decode() for n in (1, 2, 3)],
    "hex": [RAW.hex(), RAW.hex().upper(), f"0x{RAW.hex()}"],
    "percent": ["".join(f"%{byte:02x}" for byte in RAW), "".join(f"%{byte:02X}" for byte in RAW)],
    "escaped": ["".join(f"\\u{byte:04x}" for byte in RAW)],
    "raw": [TEXT, f"a{TEXT}b"],
}


@pytest.mark.parametrize(
    ("form", "written"),
    [(form.split()[0], text) for form, texts in FORMS.items() for text in texts],
)
@pytest.mark.parametrize("protocol", [Protocol.GRPC, Protocol.HTTP_JSON])
def test_each_form(
    find: Find, exporter: Exporter, form: str, written: str, protocol: Protocol
) -> None:
    if form != "escaped" or protocol is not Protocol.HTTP_JSON:
        # Within JSON, what is escaped twice is not what was hidden.
        found = find(events=[event(k=written)], protocol=protocol)
        assert ("logs x attributes.k", form) in found
        assert {seen for _, seen in found} == {form}
    export = exporter(headers=(("x-key", written),), path="/", protocol=protocol)
    assert find(exports=[export]) == {("logs header x-key", form)}
    broken = exporter(body=b"\xff" + written.encode(), protocol=protocol)
    assert find(exports=[broken]) == {("logs body", form)}


def test_what_json_escapes_is_read(find: Find, exporter: Exporter) -> None:
    plain = exporter(events=[event(k=TEXT)]).body.decode()
    escaped = plain.replace(TEXT, FORMS["escaped"][0])
    assert json.loads(escaped) == json.loads(plain)
    assert ("logs x attributes.k", "raw") in find(exports=[exporter(body=escaped.encode())])


@pytest.mark.parametrize(
    "near", [TEXT[:7], TEXT[3:], TEXT.lower(), TEXT[::-1], f"{TEXT[:4]} {TEXT[4:]}"]
)
def test_what_only_looks_like_it_is_not_it(find: Find, near: str) -> None:
    assert find(events=[event(k=near)]) == set()


def test_sightings_are_listed_once_and_in_order(viewer: Viewer) -> None:
    events = [event(z=TEXT, a=[TEXT, TEXT]), event(z=TEXT)]
    assert sightings(viewer(events=events, truth=TRUTH).capture) == (
        Sighting("prompt", "logs x attributes.a", "raw", shown=TEXT),
        Sighting("prompt", "logs x attributes.z", "raw", shown=TEXT),
    )


# --- kept, shown_at

GATE = "OTEL_LOG_USER_PROMPTS"


@pytest.fixture
def ask(judge: Judge, requirement: Require) -> Ask:
    def asked(check: str, view: CaptureView, canary: str = "prompt", **params: Any) -> Outcome:
        made: Requirement = requirement(check, kind="exports", name="", canary=canary, **params)
        outcome: Outcome = judge.judge(made, [view]).outcome
        return outcome

    return asked


@pytest.mark.parametrize(
    ("allowed", "environment", "right"),
    [
        ([], {}, False),
        ([{"place": "logs x attributes.k"}], {}, True),
        ([{"place": "logs * attributes.k"}], {}, True),
        ([{"place": "*"}], {}, True),
        ([{"place": "logs x attributes"}], {}, False),
        ([{"place": "LOGS X attributes.k"}], {}, False),
        ([{"place": "logs x attributes.k", "with": GATE}], {}, False),
        ([{"place": "logs x attributes.k", "with": GATE}], {GATE: "1"}, True),
        ([{"place": "logs x attributes.k", "with": GATE}], {GATE: "0"}, False),
        ([{"place": "logs x attributes.k", "with": GATE}], {"OTEL_LOG_TOOL_DETAILS": "1"}, False),
        (
            [{"place": "metrics *"}, {"place": "logs x attributes.k", "with": GATE}],
            {GATE: "1"},
            True,
        ),
        ([{"place": "logs x attributes.k", "with": GATE, "unset": "X"}], {GATE: "1"}, True),
        (
            [{"place": "logs x attributes.k", "with": GATE, "unset": "X"}],
            {GATE: "1", "X": "0"},
            False,
        ),
    ],
)
def test_kept(
    ask: Ask,
    viewer: Viewer,
    findings: Findings,
    allowed: list[dict[str, str]],
    environment: dict[str, str],
    right: bool,
) -> None:
    view = viewer(events=[event(k=TEXT)], truth=TRUTH, environment=environment)
    seen = [] if right else [f"{TEXT} (raw)"]
    assert findings(ask("confined", view, allowed=allowed)) == seen


def test_each_forbidden_place_is_a_finding(ask: Ask, viewer: Viewer) -> None:
    view = viewer(events=[event(a=TEXT, b=TEXT, c=RAW.hex())], truth=TRUTH)
    outcome = ask(
        "confined", view, allowed=[{"place": "logs x attributes.a"}, {"place": "no", "with": "X"}]
    )
    assert isinstance(outcome, Judged)
    assert [(each.seen, each.where) for each in outcome.findings] == [
        (f"{TEXT} (raw)", "working_day over http/json · logs x attributes.b"),
        (f"{TEXT} (hex)", "working_day over http/json · logs x attributes.c"),
    ]
    expected = "no trace of the prompt, but at logs x attributes.a"
    assert {each.expected for each in outcome.findings} == {expected}


def test_nothing_leaked_is_a_pass_only_where_something_was_hidden_and_exported(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    assert findings(ask("confined", viewer(events=[event()], truth=TRUTH))) == []
    why = NotExercised("no run hid a canary for prompt and exported something")
    for view in (viewer(truth=TRUTH), viewer(events=[event(k=TEXT)])):
        assert ask("confined", view) == why
        assert ask("shown_at", view, place="*") == why
    assert isinstance(
        ask("confined", viewer(events=[event()], truth=TRUTH), "api_key"), NotExercised
    )


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ("logs x attributes.a", []),
        ("logs * attributes.*", []),
        ("logs x attributes.c", ["logs x attributes.a, logs x attributes.b"]),
    ],
)
def test_shown_at(
    ask: Ask, viewer: Viewer, findings: Findings, place: str, seen: list[str]
) -> None:
    view = viewer(events=[event(a=TEXT, b=TEXT)], truth=TRUTH)
    assert findings(ask("shown_at", view, place=place)) == seen


def test_shown_nowhere(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    outcome = ask("shown_at", viewer(events=[event()], truth=TRUTH), place="logs x attributes.a")
    assert findings(outcome) == ["nowhere"]
