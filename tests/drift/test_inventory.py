"""What an inventory lists, and what it leaves out because it differs from run to run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from harness.capture.run import GroundTruth, Secret, SubjectFacts
from harness.contract.applicability import JUDGED_ONLY_BY_NAME
from harness.contract.files import read_json, schema_root
from harness.contract.requirement import DRAWN
from harness.drift.attributes import is_fixed, presence_in
from harness.drift.inventory import inventory_of
from harness.judging.items.view import CaptureView
from harness.otlp.model import Protocol

if TYPE_CHECKING:
    from tests.conftest import Viewer

TOKENS = "claude_code.token.usage"
SUBJECT = SubjectFacts("npm:2.1.31", "/claude", "2.1.31")


def stock(*views: CaptureView) -> dict[str, Any]:
    inventory = inventory_of(SUBJECT, [view.capture for view in views])
    schema = read_json(schema_root() / "inventory.schema.json")
    Draft202012Validator(schema).validate(inventory)
    return inventory


def event(name: str = "user_prompt", **attributes: Any) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


def test_what_is_sent(viewer: Viewer) -> None:
    view = viewer(
        events=[event(success="true", duration_ms=7)],
        points=[(TOKENS, 7, {"type": "input"}, {"unit": "tokens"})],
        spans=[
            {"name": "claude_code.tool", "span_id": "b" * 16, "parent_span_id": "a" * 16},
            {"name": "claude_code.interaction", "span_id": "a" * 16, "parent_span_id": ""},
            {"name": "claude_code.stray", "span_id": "c" * 16, "parent_span_id": "d" * 16},
        ],
        resource={"service.name": "claude-code"},
    )
    found = stock(view)
    assert found["subject"] == {"version": "2.1.31"}
    assert found["scenarios"] == {"working_day": ["http/json"]}
    assert found["signals"] == {key: ["working_day"] for key in ("logs", "metrics", "traces")}
    metric = found["metrics"][TOKENS]
    assert metric["unit"] == ["tokens"]
    assert metric["type"] == ["sum"]
    assert metric["attributes"] == {
        "type": {"types": ["string"], "presence": "always", "values": ["input"]}
    }
    told = found["events"]["user_prompt"]
    assert told["body"] == ["claude_code.user_prompt"]
    assert told["attributes"]["duration_ms"] == {"types": ["int"], "presence": "always"}
    assert told["attributes"]["success"]["values"] == ["true"]
    parents = {name: span.get("parents") for name, span in found["spans"].items()}
    assert parents == {
        "claude_code.tool": ["claude_code.interaction"],
        "claude_code.interaction": ["(root)"],
        "claude_code.stray": None,
    }
    assert found["resources"]["metrics"]["service.name"]["values"] == ["claude-code"]
    assert found["transport"]["http/json"]["framing"] == ["content-length"]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("cacheRead", True),
        ("<REDACTED>", True),
        ("user_permanent", True),
        ("agent:custom", True),
        ("claude-opus-5-5", True),
        ("5462c236-d651-4c73-964a-1b2c3d4e5f60", False),
        ("req_010000000000000000000001", False),
        ("2.1.332", False),
        ("2026-11-27T05:49:36Z", False),
        ("/home/me", False),
        ("Request was aborted.", False),
        ("", False),
        ("a" * 60, False),
    ],
)
def test_words_and_what_varies(text: str, fixed: bool) -> None:
    assert is_fixed(text) is fixed


@pytest.mark.parametrize(
    ("values", "listed"),
    [
        (["accept", "reject"], ["accept", "reject"]),
        (["accept", "and then it was said"], None),
        ([f"v{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"], None),
        (["accept", ""], ["accept"]),
        (["zqsecret-of-the-run"], None),
    ],
    ids=["an enumeration", "a text among them", "too many", "an empty one", "a private one"],
)
def test_values_that_are_listed(viewer: Viewer, values: list[str], listed: object) -> None:
    truth = GroundTruth(secrets=(Secret("prompt", "zqsecret"),))
    view = viewer(events=[event(decision=value) for value in values], truth=truth)
    fact = stock(view)["events"]["user_prompt"]["attributes"]["decision"]
    assert fact.get("values") == listed


def test_ids_are_never_listed(viewer: Viewer) -> None:
    view = viewer(events=[event(**{"session.id": "mine", "app.version": "mine", "agent_id": "a"})])
    for fact in (
        stock(view)["events"]["user_prompt"]["attributes"][key]
        for key in ("session.id", "app.version", "agent_id")
    ):
        assert "values" not in fact


def test_keys_of_a_json_text(viewer: Viewer) -> None:
    view = viewer(events=[event(tool_parameters='{"b": 1}'), event(tool_parameters='{"a": "x"}')])
    fact = stock(view)["events"]["user_prompt"]["attributes"]["tool_parameters"]
    assert fact == {"types": ["string"], "presence": "always", "keys": ["a", "b"]}


def test_presence_is_told_by_scenario(viewer: Viewer) -> None:
    found = stock(
        viewer(events=[event(x=1), event(x=1)]),
        viewer(events=[event(x=1), event()], scenario="toolbox"),
        viewer(events=[event()], scenario="identity"),
        viewer(events=[event()], scenario="mentions"),
    )
    presence = found["events"]["user_prompt"]["attributes"]["x"]["presence"]
    assert presence == {"else": "never", "always": ["working_day"], "sometimes": ["toolbox"]}
    assert [presence_in(presence, name) for name in ("working_day", "toolbox", "identity")] == [
        "always",
        "sometimes",
        "never",
    ]


def test_one_release_over_two_protocols(viewer: Viewer) -> None:
    found = stock(viewer(events=[event()]), viewer(events=[event()], protocol=Protocol.GRPC))
    assert found["scenarios"] == {"working_day": ["grpc", "http/json"]}
    assert sorted(found["transport"]) == ["grpc", "http/json"]


@pytest.mark.parametrize("trait", [DRAWN, JUDGED_ONLY_BY_NAME])
def test_runs_that_are_not_whole_are_left_out(viewer: Viewer, trait: str) -> None:
    found = stock(viewer(events=[event()]), viewer(events=[event("other")], traits=(trait,)))
    assert sorted(found["events"]) == ["user_prompt"]


def test_what_was_refused_was_not_sent(viewer: Viewer) -> None:
    view = viewer(events=[event()])
    refused = replace(view.capture.exports[0], rejected="busy")
    found = inventory_of(SUBJECT, [replace(view.capture, exports=(refused,))])
    assert found["events"] == {}
    assert found["signals"] == {}


def test_where_secrets_come_out(viewer: Viewer) -> None:
    truth = GroundTruth(canaries={"prompt": "zqaxolotlzq"})
    view = viewer(
        events=[event(prompt="zqaxolotlzq")],
        truth=truth,
        environment={"OTEL_LOG_USER_PROMPTS": "1"},
    )
    assert stock(view)["secrets"] == {"prompts": {"prompt": ["logs user_prompt attributes.prompt"]}}
