"""What events say of tools, and which event is taken to tell of which tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import Decision, GroundTruth, ToolRun
from harness.contract.requirement import Selector
from harness.findings import Judged, NotExercised, Outcome
from harness.judging.checks.matching import paired, reported_name
from harness.judging.checks.tools import expected_parameters, language_of
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

RESULTS = Selector("event", "tool_result")
EDITS = "claude_code.code_edit_tool.decision"

Ask = Callable[..., Outcome]
Pairs = Callable[..., list[tuple[str, int]]]


def ran(name: str, number: int = 1, *, ok: bool = True, **facts: Any) -> ToolRun:
    return ToolRun(name, f"t{number}", facts.pop("input", {}), ok, **facts)


def bash(command: str, number: int = 1, **more: Any) -> ToolRun:
    return ran("Bash", number, input={"command": command, **more})


def made(source: str, accepted: bool = True, number: int = 1, name: str = "Bash") -> Decision:
    return Decision(name, f"t{number}", {}, accepted, source)


def result(name: str, *, ms: int = 1, **attributes: Any) -> dict[str, Any]:
    return {
        "body": "claude_code.tool_result",
        "time_unix_nano": ms * 1_000_000,
        "attributes": {"tool_name": name, **attributes},
    }


def decision(name: str = "Bash", **attributes: Any) -> dict[str, Any]:
    return result(name, **attributes) | {"body": "claude_code.tool_decision"}


def tools(*runs: ToolRun, decisions: tuple[Decision, ...] = ()) -> GroundTruth:
    return GroundTruth(tool_runs=runs, decisions=decisions)


@pytest.fixture
def ask(judge: Judge, requirement: Require) -> Ask:
    """Judge the field ``field`` of ``tool_result`` events."""

    def asked(check: str, view: CaptureView, field: str = "n", **params: Any) -> Outcome:
        made = requirement(
            check, **{"name": "tool_result", "path": ("attributes", field), **params}
        )
        outcome: Outcome = judge.judge(made, [view]).outcome
        return outcome

    return asked


# --- pairing


@pytest.fixture
def pairs(viewer: Viewer) -> Pairs:
    """(tool's id, n of the event that tells of it)"""

    def found(runs: list[ToolRun], *events: dict[str, Any]) -> list[tuple[str, int]]:
        items = viewer(events=events).select(RESULTS)
        return [
            (tool.tool_use_id, item.at(("attributes", "n"))) for tool, item in paired(runs, items)
        ]

    return found


def test_pairs_by_id_whatever_the_order_and_name(pairs: Pairs) -> None:
    runs = [ran("Bash", 1), ran("Read", 2), ran("Read", 3)]
    one = result("Read", n=1, ms=1, tool_use_id="t3")
    two = result("Other", n=2, ms=2, tool_use_id="t1")
    assert pairs(runs, one, two) == [("t1", 2), ("t3", 1)]
    assert pairs(runs, one, result("Read", n=3, tool_use_id="t9")) == [("t3", 1)]


def test_pairs_by_the_order_of_time_where_there_is_one_for_each(pairs: Pairs) -> None:
    runs = [ran("Bash", 1), ran("Read", 2)]
    assert pairs(runs, result("x", n=2, ms=2), result("y", n=1, ms=1)) == [("t1", 1), ("t2", 2)]


def test_pairs_by_name_where_the_counts_differ(pairs: Pairs) -> None:
    runs = [ran("Bash", 1), ran("Read", 2), ran("Read", 3)]
    assert pairs(runs, result("Read", n=1), result("Read", n=2)) == [("t2", 1), ("t3", 2)]
    assert pairs(runs, result("Read", n=1), result("Grep", n=2)) == [("t2", 1)]
    assert pairs(runs, *[result("Bash", n=n) for n in range(4)]) == [("t1", 0)]


def test_one_id_keeps_the_others_from_being_paired_by_order(pairs: Pairs) -> None:
    runs = [ran("Bash", 1), ran("Read", 2)]
    events = [result("Read", n=1, ms=1), result("x", n=2, ms=2, tool_use_id="t1")]
    assert pairs(runs, *events) == [("t1", 2), ("t2", 1)]


def test_a_tool_of_two_names_and_those_of_mcp_servers_pair_by_name(pairs: Pairs) -> None:
    runs = [ran("Agent", 1), ran("mcp__files__look", 2), ran("Read", 3)]
    events = [result("mcp_tool", n=1), result("Task", n=2)]
    assert pairs(runs, *events) == [("t1", 2), ("t2", 1)]
    assert pairs([ran("Task", 1), ran("Read", 2)], result("Agent", n=3)) == [("t1", 3)]


def test_reported_names() -> None:
    names = ["Task", "Agent", "mcp__a__b", "mcp_tool", "Bash", "mcp"]
    assert [reported_name(name) for name in names] == [
        "Task",
        "Task",
        "mcp_tool",
        "mcp_tool",
        "Bash",
        "mcp",
    ]


# --- decided

SOURCES = ["config", "hook", "user_temporary", "user_permanent", "user_reject", "user_abort"]


@pytest.fixture
def decided(judge: Judge, requirement: Require) -> Ask:
    def asked(view: CaptureView, source: str) -> Outcome:
        outcome: Outcome = judge.judge(
            requirement("decided", name="tool_decision", source=source), [view]
        ).outcome
        return outcome

    return asked


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("accepted", "word", "other"), [(True, "accept", "reject"), (False, "reject", "accept")]
)
def test_decided(
    decided: Ask,
    viewer: Viewer,
    findings: Findings,
    source: str,
    accepted: bool,
    word: str,
    other: str,
) -> None:
    truth = tools(decisions=(made(source, accepted),))
    right = viewer(events=[decision(decision=word, source=source)], truth=truth)
    assert findings(decided(right, source)) == []
    wrong = viewer(events=[decision(decision=other, source=source)], truth=truth)
    assert findings(decided(wrong, source)) == [f"{other} by {source}"]
    by = viewer(events=[decision(decision=word, source="nobody")], truth=truth)
    assert findings(decided(by, source)) == [f"{word} by nobody"]
    undecided = viewer(events=[decision(decision=word, source=source)])
    assert isinstance(decided(undecided, source), NotExercised)


def test_only_decisions_of_the_source_are_judged(
    decided: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = tools(decisions=(made("config", number=1), made("user_reject", False, number=2)))
    events = [
        decision(tool_use_id="t1", decision="accept", source="config"),
        decision(tool_use_id="t2", decision="accept", source="config"),
    ]
    view = viewer(events=events, truth=truth)
    assert findings(decided(view, "config")) == []
    assert findings(decided(view, "user_reject")) == ["accept by config"]


def test_a_decision_that_no_event_tells_of(decided: Ask, viewer: Viewer) -> None:
    truth = tools(decisions=(made("config", number=1), made("config", number=2, name="Read")))
    decision_event = decision(tool_use_id="t1", decision="accept", source="config")
    outcome = decided(viewer(events=[decision_event], truth=truth), "config")
    assert isinstance(outcome, Judged)
    assert outcome.looked_at == 2
    (finding,) = outcome.findings
    assert (finding.expected, finding.seen) == ("Read: accept by config", "no event")
    assert isinstance(decided(viewer(truth=truth), "config"), NotExercised)


def test_a_decision_without_its_fields_is_a_finding(
    decided: Ask, viewer: Viewer, findings: Findings
) -> None:
    view = viewer(events=[decision()], truth=tools(decisions=(made("config"),)))
    assert findings(decided(view, "config")) == ["nothing by nothing"]


# --- edits_decided


def edit(path: str, accepted: bool = True, name: str = "Edit") -> Decision:
    key = "notebook_path" if name == "NotebookEdit" else "file_path"
    return Decision(name, "t", {key: path}, accepted, "config")


def counted(value: float = 1, key: str = "tool_name", **attributes: str) -> Any:
    language = attributes.get("language", "Python")
    decision = attributes.get("decision", "accept")
    tool = attributes.get("tool", "Edit")
    return EDITS, value, {key: tool, "decision": decision, "language": language}


@pytest.fixture
def edits(judge: Judge, requirement: Require) -> Ask:
    def asked(view: CaptureView, **params: Any) -> Outcome:
        made = requirement("edits_decided", kind="metric", name=EDITS, **params)
        outcome: Outcome = judge.judge(made, [view]).outcome
        return outcome

    return asked


@pytest.mark.parametrize("key", ["tool", "tool_name"])
def test_edits_are_counted_under_either_name_of_the_key(
    edits: Ask, viewer: Viewer, findings: Findings, key: str
) -> None:
    truth = tools(decisions=(edit("a.py"), edit("b.py")))
    assert findings(edits(viewer(points=[counted(2, key)], truth=truth))) == []
    parts = viewer(points=[counted(1, key), counted(1, key)], truth=truth)
    assert findings(edits(parts)) == []
    assert findings(edits(viewer(points=[counted(1, key)], truth=truth))) == ["1"]
    other = viewer(points=[counted(2, key, tool="Write")], truth=truth)
    assert findings(edits(other)) == ["0", "2"]


def test_a_decision_about_another_tool_is_no_edit(
    edits: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = tools(decisions=(edit("a.py"), made("config", name="Bash")))
    assert findings(edits(viewer(points=[counted()], truth=truth))) == []
    extra = viewer(points=[counted(), counted(tool="Bash", language="unknown")], truth=truth)
    assert findings(edits(extra)) == ["1"]


def test_edits_of_one_decision(edits: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = tools(decisions=(edit("a.py"), edit("b.py", accepted=False)))
    points = [counted(), counted(7, decision="reject")]
    view = viewer(points=points, truth=truth)
    assert findings(edits(view, decision="accept")) == []
    assert findings(edits(view, decision="reject")) == ["7"]
    accepted = viewer(points=points, truth=tools(decisions=(edit("a.py"),)))
    assert isinstance(edits(accepted, decision="reject"), NotExercised)


def test_edits_of_known_and_unknown_languages(
    edits: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = tools(decisions=(edit("a.py"), edit("b.xyz")))
    right = viewer(points=[counted(), counted(language="unknown")], truth=truth)
    assert findings(edits(right, language="known")) == []
    assert findings(edits(right, language="unknown")) == []
    wrong = viewer(points=[counted(language="Ruby"), counted(2, language="unknown")], truth=truth)
    assert findings(edits(wrong, language="known")) == ["0", "1"]
    assert findings(edits(wrong, language="unknown")) == ["2"]
    assert isinstance(edits(viewer(truth=truth)), NotExercised)


def test_edits_under_their_source(edits: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = tools(decisions=(edit("a.py"), edit("b.py")))
    name, value, attributes = counted(2)
    for source, seen in [("config", []), ("user_temporary", ["0", "2"]), ("user_reject", ["0"])]:
        view = viewer(points=[(name, value, {**attributes, "source": source})], truth=truth)
        assert findings(edits(view, sources=["config", "user_temporary"])) == seen
        assert findings(edits(view)) == [], "without sources, the source is not looked at"


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ({"file_path": "/a/b.py"}, "Python"),
        ({"file_path": "b.ts"}, "TypeScript"),
        ({"file_path": "b.js"}, "JavaScript"),
        ({"file_path": "b.md"}, "Markdown"),
        ({"file_path": "b.py.bak"}, "unknown"),
        ({"file_path": "py"}, "unknown"),
        ({"notebook_path": "b.ipynb"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_language_of(given: dict[str, object], language: str) -> None:
    assert language_of(given) == language


# --- tool_outcome, tool_name


def test_tool_outcome(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    truth = tools(ran("Bash", 1), ran("Bash", 2, ok=False))
    ids = ("t1", "t2")
    for words, seen in [
        (("true", "false"), []),
        (("false", "false"), ['"false" (string)']),
        (("true", "true"), ['"true" (string)']),
        ((True, "false"), ["true (boolean)"]),
    ]:
        events = [result("Bash", n=n, tool_use_id=t) for n, t in zip(words, ids, strict=True)]
        assert findings(ask("tool_outcome", viewer(events=events, truth=truth))) == seen


def test_tool_name(ask: Ask, viewer: Viewer, findings: Findings) -> None:
    runs = (ran("Agent", 1), ran("mcp__a__b", 2), ran("Bash", 3))

    def seen(*names: str) -> list[str]:
        events = [
            result(name, tool_use_id=f"t{number}") for number, name in enumerate(names, start=1)
        ]
        found: list[str] = findings(
            ask("tool_name", viewer(events=events, truth=tools(*runs)), "tool_name")
        )
        return found

    assert seen("Task", "mcp_tool", "Bash") == []
    assert seen("Agent", "mcp__a__b", "Bash") == []
    assert seen("Bash", "mcp_tool", "bash") == ['"Bash" (string)', '"bash" (string)']


def test_results_of_rejected_tools_are_left_out(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = tools(ran("Bash", 1), ran("Bash", 2), decisions=(made("user_reject", False, 1),))
    rejected = result("Bash", n="false", ms=1, decision="reject")
    worked = result("Bash", n="true", ms=2, decision="accept")
    assert findings(ask("tool_outcome", viewer(events=[rejected, worked], truth=truth))) == []
    assert isinstance(ask("tool_outcome", viewer(events=[rejected], truth=truth)), NotExercised)


def test_a_tool_is_judged_where_the_event_is_as_asked(
    ask: Ask, viewer: Viewer, findings: Findings
) -> None:
    truth = tools(ran("Bash", 1), ran("Bash", 2))
    events = [
        result("Bash", n="x", kind="a", tool_use_id="t1"),
        result("Bash", n="true", kind="b", tool_use_id="t2"),
    ]
    view = viewer(events=events, truth=truth)
    assert findings(ask("tool_outcome", view)) == ['"x" (string)']
    assert findings(ask("tool_outcome", view, where={"attributes/kind": "b"})) == []


def test_an_mcp_tool_name_of_many_parts() -> None:
    assert expected_parameters("mcp__files__look__up", {}, []) == {
        "mcp_server_name": "files",
        "mcp_tool_name": "look__up",
    }
