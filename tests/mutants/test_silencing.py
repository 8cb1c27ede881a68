"""Lies that take from the judge what it judges by: they are caught by what they silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from harness.assessment.assessment import Assessment
from harness.assessment.recording import Recording, recorded
from harness.capture.capture import Capture
from harness.findings import Verdict
from harness.judging.verdicts import Row, fails_the_run
from harness.mutants import editing
from harness.mutants.editing import ItemRef
from harness.mutants.rewriting import copy_message, rewritten
from harness.otlp.model import Protocol
from harness.running.recorder import record
from harness.subject.binary import resolve
from harness.themes.catalogue import SCENARIOS

RELEASE = "2.1.240"
RECORDED = ("working_day", "toolbox_details")

Edit = Callable[[ItemRef], bool]


@pytest.fixture(scope="module")
def captures() -> tuple[Capture, ...]:
    """What the conforming emitter leaves of two sessions, over one protocol."""
    scenarios = [replace(SCENARIOS[name], protocols=(Protocol.HTTP_JSON,)) for name in RECORDED]
    binary = resolve(f"reference:{RELEASE}", progress=print)
    done = record(binary, scenarios=scenarios, progress=print)
    assert done.faults == {}
    return done.captures


def judged(recording: Recording) -> dict[str, Row]:
    assessment = Assessment(f"reference:{RELEASE}", RELEASE, lambda: recording)
    return {each.name: assessment.row(each) for each in assessment.contract.requirements}


def lying(captures: tuple[Capture, ...], edit: Edit) -> Iterator[Capture]:
    for capture in captures:
        exports = []
        for export in capture.exports:
            message = copy_message(export)
            assert message is not None
            edited = [edit(ref) for ref in list(editing.item_refs(message))]
            exports.append(rewritten(export, message) if any(edited) else export)
        yield replace(capture, exports=tuple(exports))


def put(key: str, value: str, event: str) -> Edit:
    def edit(ref: ItemRef) -> bool:
        if event not in ref.item.view.get("names", ()):
            return False
        editing.put(ref, ("attributes", key), value)
        return True

    return edit


def dropped(key: str) -> Edit:
    def edit(ref: ItemRef) -> bool:
        editing.drop(ref, ("attributes", key))
        return True

    return edit


def test_the_honest_sessions_are_silent_nowhere(captures: tuple[Capture, ...]) -> None:
    rows = judged(recorded(captures)).values()
    assert {row.verdict for row in rows} <= {
        Verdict.PASS,
        Verdict.NOT_EXERCISED,
        Verdict.NOT_APPLICABLE,
    }


@pytest.mark.parametrize(
    ("edit", "silenced"),
    [
        (
            put("tool_use_id", "toolu_made_up", "tool_result"),
            "events.tool_result.tool_name.as_it_was",
        ),
        (
            put("tool_name", "Nonsense", "tool_decision"),
            "events.tool_decision.tool_parameters.opened",
        ),
        (dropped("effort"), "events.api_request.effort.value"),
        (dropped("prompt.id"), "events.user_prompt.prompt_id.value"),
        (dropped("query_source"), "metrics.cost_usage.query_source.value"),
    ],
    ids=["a made-up id", "a nonsense name", "effort left out", "no prompt.id", "no query_source"],
)
def test_a_lie_that_silences_its_judge(
    captures: tuple[Capture, ...], edit: Edit, silenced: str
) -> None:
    row = judged(recorded(tuple(lying(captures, edit))))[silenced]
    assert row.verdict is Verdict.FAIL
    assert fails_the_run(row)
    assert row.findings[0].expected.startswith("exercised in ")
    assert row.findings[0].seen.startswith("not exercised: ")
