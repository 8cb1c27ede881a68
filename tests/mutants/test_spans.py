"""Spans are judged, and lied about, as metrics and events are: held by a contract of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import GroundTruth
from harness.contract import catalogue, files
from harness.contract.catalogue import Contract
from harness.contract.requirement import MutantSpec
from harness.contract.versions import Version
from harness.errors import HarnessError
from harness.findings import Judged, NotExercised, Verdict
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.judging.verdicts import decide
from harness.mutants.mutate import mutate
from harness.otlp.model import Protocol, Signal

if TYPE_CHECKING:
    from tests.conftest import Viewer

Loader = Callable[..., Contract]

LIE = {"set": "lie"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


def entry(name: str, check: str, *mutants: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A promise about spans, with the lies that its check must catch."""
    statement = f"A promise about {name}."
    return {
        "name": f"spans.{name}",
        "check": check,
        "statement": statement,
        **more,
        "mutants": list(mutants),
    }


def promise(name: str, check: str, *mutants: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword that makes one promise."""
    return {"x-requirements": [entry(name, check, *mutants)]}


#: One promise for each word of the vocabulary that changes items.
INTERACTION: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:cc-otel:spans:interaction",
    "title": "claude_code.interaction",
    "x-selects": {"kind": "span", "name": "interaction"},
    "x-source": {"document": "monitoring-2026-02", "section": "Events"},
    "type": "object",
    "x-requirements": [
        entry("exported", "exported", {"remove": True}, params={"when": "a prompt"}),
        entry("one_each", "one_each", {"repeat": True}, params={"when": "a prompt"}),
    ],
    "properties": {
        "kind": {"const": "internal", **promise("kind", "valid_if_present", {"set": "server"})},
        "status": {
            "properties": {
                "code": {
                    "enum": ["unset", "ok"],
                    **promise("status", "valid_if_present", {"set": "error"}),
                },
                "message": {
                    "const": "",
                    **promise("message", "valid_if_present", {"set_all": "odd"}),
                },
            }
        },
        "parent_span_id": {
            "pattern": "^[0-9a-f]{16}$",
            **promise("parent", "present", {"drop": True}),
        },
        "trace_id": {"const": TRACE, **promise("trace", "valid_if_present", {"set": "ab" * 16})},
        "end_time_unix_nano": {"minimum": 2, **promise("end", "valid_if_present", {"set": 1})},
        "attributes": {
            **promise("no_other", "valid_if_present", {"set_key": {"key": "odd", "value": 1}}),
            "additionalProperties": False,
            "properties": {
                "user_prompt_length": {
                    "type": ["integer"],
                    "x-requirements": [
                        entry("length.present", "present", {"drop": True}),
                        entry(
                            "length.value",
                            "valid_if_present",
                            {"set": "five", "also": ["spans.no_other"]},
                            {"set_all": {"from": 5, "to": "5"}, "also": ["spans.no_other"]},
                        ),
                    ],
                }
            },
        },
    },
}


@pytest.fixture
def contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """Load a contract of these span files alone."""
    root = tmp_path / "schemas"
    (root / "spans").mkdir(parents=True)
    for name in ("contract.schema.json", "documents.json", "documents.schema.json"):
        shutil.copy(files.schema_root() / name, root)
    monkeypatch.setattr(catalogue, "schema_root", lambda: root)
    # The files are read once per process; those of this test must not stay.
    monkeypatch.setattr(catalogue, "_contract_files", catalogue._contract_files.__wrapped__)

    def load(**schemas: Mapping[str, Any]) -> Contract:
        for name, schema in schemas.items():
            (root / "spans" / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
        checks = {entry["check"] for schema in schemas.values() for entry in entries(schema)}
        return catalogue.load(Version(2, 1, 240), checks=checks, scenarios=())

    return load


def entries(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every promise of a file."""
    inner = [each for child in schema.get("properties", {}).values() for each in entries(child)]
    return [*schema.get("x-requirements", ()), *inner]


@pytest.fixture(params=Protocol)
def honest(request: pytest.FixtureRequest, viewer: Viewer) -> Capture:
    """Spans of a session, and events beside them that nothing here speaks of."""
    own = {"trace_id": TRACE, "kind": 1, "start_time_unix_nano": 3, "end_time_unix_nano": 9}
    spans = [
        {**own, "name": f"claude_code.{name}", "span_id": id_, "parent_span_id": "b" * 16}
        | {"attributes": attributes}
        for name, id_, attributes in (
            ("interaction", "1" * 16, {"user_prompt_length": 5}),
            ("tool", "2" * 16, {"odd": True}),
            ("interaction", "3" * 16, {"user_prompt_length": 7}),
        )
    ]
    view = viewer(
        spans=spans,
        events=[{"body": "claude_code.interaction", "attributes": {"odd": 1}}],
        resource={"service.name": "claude-code"},
        protocol=request.param,
        truth=GroundTruth(prompts=("Greet the world.", "Once more.")),
    )
    return view.capture


def verdicts(contract: Contract, capture: Capture) -> dict[str, Verdict]:
    judge, view = Judge(contract), CaptureView(capture)
    return {
        each.name: decide(contract, each, judge.judge(each, [view]), NO_EXPECTATIONS).verdict
        for each in contract.requirements
    }


def breaks(contract: Contract, capture: Capture) -> set[str]:
    return {
        name for name, verdict in verdicts(contract, capture).items() if verdict is Verdict.FAIL
    }


def test_good_spans_pass(contract: Loader, honest: Capture) -> None:
    assert set(verdicts(contract(interaction=INTERACTION), honest).values()) == {Verdict.PASS}


def test_each_lie_breaks_what_it_says(contract: Loader, honest: Capture) -> None:
    loaded = contract(interaction=INTERACTION)
    operations: set[str] = set()
    for requirement in loaded.requirements:
        for lie in requirement.mutants:
            operations |= lie.operation.keys()
            (liar,) = mutate((honest,), requirement, lie, {})
            assert breaks(loaded, liar) == set(lie.breaks), lie.name
            # Nothing but the spans of that name is touched.
            assert liar.events() == honest.events()
            assert liar.spans("claude_code.tool") == honest.spans("claude_code.tool")
    assert operations >= {"drop", "set", "set_all", "set_key", "remove", "repeat"}


def test_a_run_without_such_spans_exercises_nothing(contract: Loader, viewer: Viewer) -> None:
    loaded = contract(interaction=INTERACTION)
    other = viewer(spans=[{"name": "claude_code.tool"}]).capture
    assert set(verdicts(loaded, other).values()) == {Verdict.NOT_EXERCISED}
    kind = loaded.requirement("spans.kind")
    outcome = Judge(loaded).judge(kind, [CaptureView(other)]).outcome
    assert outcome == NotExercised("no span interaction was exported")
    with pytest.raises(ValueError, match="there is no span interaction to lie about"):
        mutate((other,), kind, kind.mutants[0], {})


def test_a_finding_names_the_span(contract: Loader, honest: Capture) -> None:
    loaded = contract(interaction=INTERACTION)
    kind = loaded.requirement("spans.kind")
    (liar,) = mutate((honest,), kind, kind.mutants[0], {})
    outcome = Judge(loaded).judge(kind, [CaptureView(liar)]).outcome
    assert isinstance(outcome, Judged)
    (finding,) = outcome.findings
    assert (finding.expected, finding.seen) == ('"internal" (string)', '"server" (string)')
    label = f"working_day over {honest.run.protocol}"
    # Of several spans the lie picks the same one, whatever protocol they came by.
    assert finding.where == (f"{label} · traces export 2 · claude_code.interaction · span 3 · kind")


def test_where_every_span_is_removed_no_request_is_left(contract: Loader, viewer: Viewer) -> None:
    loaded = contract(interaction=INTERACTION)
    gone = loaded.requirement("spans.exported")
    only = viewer(spans=[{"name": "claude_code.interaction"}], points=[("lines", 1.0, {})])
    (liar,) = mutate((only.capture,), gone, gone.mutants[0], {})
    assert [export.signal for export in liar.exports] == [Signal.METRICS]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"drop": True}, "nothing to lie about: no way to leave kind out"),
        ({"set": "odd"}, "nothing to lie about"),
        ({"set_all": {"from": "client", "to": "server"}}, "nothing has 'client' at kind"),
    ],
)
def test_a_lie_that_cannot_be_told_is_refused(
    contract: Loader, honest: Capture, operation: Any, reason: str
) -> None:
    kind = contract(interaction=INTERACTION).requirement("spans.kind")
    lie = MutantSpec(kind.name, 1, operation, (kind.name,))
    with pytest.raises(ValueError, match=reason):
        mutate((honest,), kind, lie, {})


@pytest.mark.parametrize("kind", ["spans", "resources"])
def test_every_span_and_its_resource_can_be_judged(
    contract: Loader, honest: Capture, kind: str
) -> None:
    """The resource of traces is lied about like any other."""
    path = {"spans": "odd", "resources": "service.name"}[kind]
    loaded = contract(
        every={
            **{key: INTERACTION[key] for key in ("$schema", "title", "x-source")},
            "$id": "urn:cc-otel:spans:every",
            "x-selects": {"kind": kind},
            "properties": {
                "attributes": {
                    "properties": {
                        path: {"not": {"const": "lie"}, **promise("it", "valid_if_present", LIE)}
                    }
                }
            },
        }
    )
    (one,) = loaded.requirements
    spans_only = replace(honest, exports=honest.exports[1:])
    assert set(verdicts(loaded, spans_only).values()) == {Verdict.PASS}
    (liar,) = mutate((spans_only,), one, one.mutants[0], {})
    assert breaks(loaded, liar) == {"spans.it"}


def test_an_unknown_kind_is_refused(contract: Loader) -> None:
    odd = {**INTERACTION, "x-selects": {"kind": "trace"}}
    with pytest.raises(HarnessError, match=r"'trace' is not one of"):
        contract(interaction=odd)
