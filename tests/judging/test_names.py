"""Names that no document knows, and events that vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.run import SubjectFacts
from harness.contract.catalogue import Contract
from harness.contract.exercised import Exercised, Measured, Row, Table
from harness.contract.requirement import DRAWN
from harness.contract.versions import Version
from harness.findings import NotExercised
from harness.judging.checks import names
from harness.judging.judge import Judge

if TYPE_CHECKING:
    from tests.conftest import Findings, Require, Viewer

NEWEST = SubjectFacts("npm:2.1.332", "/bin/claude", "2.1.332")


def event(name: str = "user_prompt", **attributes: Any) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


@pytest.mark.parametrize(
    ("kind", "what", "facts", "seen"),
    [
        ("events", "attributes", {"events": [event(prompt="p")]}, []),
        (
            "events",
            "attributes",
            {"events": [event(**{"host.name": "build-7"}), event(**{"host.name": "build-7"})]},
            ['event user_prompt host.name = "build-7" (string)'],
        ),
        ("events", "items", {"events": [event(**{"host.name": "x"})]}, []),
        ("events", "items", {"events": [event("heartbeat", beat=1)]}, ["event heartbeat"]),
        # Its attributes are nobody's to document.
        ("events", "attributes", {"events": [event("heartbeat", beat=1)]}, []),
        (
            "metrics",
            "items",
            {"points": [("claude_code.pulse", 1.0, {})]},
            ["metric claude_code.pulse"],
        ),
        (
            "metrics",
            "attributes",
            {"points": [("claude_code.commit.count", 1.0, {"cwd": "/srv"})]},
            ['metric claude_code.commit.count cwd = "/srv" (string)'],
        ),
        (
            "spans",
            "attributes",
            {"spans": [{"name": "claude_code.tool", "attributes": {"cwd": "/srv"}}]},
            ['span claude_code.tool cwd = "/srv" (string)'],
        ),
        (
            "spans",
            "items",
            {"spans": [{"name": "claude_code.tool", "events": [("exception", {})]}]},
            ["span event exception"],
        ),
        (
            "resources",
            "attributes",
            {"events": [event()], "resource": {"host.name": "build-7"}},
            ['resource host.name = "build-7" (string)'],
        ),
    ],
)
def test_what_no_document_names(
    judge: Judge,
    viewer: Viewer,
    requirement: Require,
    findings: Findings,
    kind: str,
    what: str,
    facts: dict[str, Any],
    seen: list[str],
) -> None:
    asked = requirement("documented", kind=kind, name="", names=what)
    assert findings(judge.judge(asked, [viewer(**facts)]).outcome) == seen


def test_what_the_user_chose_is_nobodys_to_document(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("documented", kind="events", name="", names="attributes")
    custom = {"OTEL_RESOURCE_ATTRIBUTES": "team.id=a,cost_center=b"}
    view = viewer(events=[event(**{"team.id": "a", "shift": "c"})], environment=custom)
    assert findings(judge.judge(asked, [view]).outcome) == [
        'event user_prompt shift = "c" (string)'
    ]


def test_what_is_listed_for_the_release_passes(
    judge: Judge, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    asked = requirement("documented", kind="events", name="", names="attributes")
    told = [event(**{"anthropic.provider": "firstParty"})]
    assert findings(judge.judge(asked, [viewer(events=told, subject=NEWEST)]).outcome) == []
    (seen,) = findings(judge.judge(asked, [viewer(events=told)]).outcome)
    assert seen.startswith("event user_prompt anthropic.provider")


def test_nothing_sent_is_no_pass(judge: Judge, viewer: Viewer, requirement: Require) -> None:
    for check in ("documented", "still_sent"):
        asked = requirement(check, kind="events", name="", names="items")
        assert isinstance(judge.judge(asked, [viewer()]).outcome, NotExercised)


def test_an_event_that_vanishes(
    contract: Contract, viewer: Viewer, requirement: Require, findings: Findings
) -> None:
    always = Measured(Version(2, 1, 31), Version(2, 1, 332), True)
    row = Row(("user_prompt", "plugin_loaded"), ("working_day",), always)
    judge = Judge(contract, measured=Exercised(sent=Table([row])))
    asked = requirement("still_sent", kind="events", name="", scenarios=("working_day", "toolbox"))
    whole = viewer(events=[event(), event("plugin_loaded"), event("new_one")])
    assert findings(judge.judge(asked, [whole]).outcome) == []
    outcome = judge.judge(asked, [viewer(events=[event()])]).outcome
    assert findings(outcome) == ["only user_prompt"]
    elsewhere = viewer(events=[event()], scenario="toolbox")
    assert isinstance(judge.judge(asked, [elsewhere]).outcome, NotExercised)


def test_a_report_lists_them_all(viewer: Viewer) -> None:
    told = {"anthropic.provider": "firstParty", "cwd": "/srv"}
    views = [
        viewer(events=[event(**told)], subject=NEWEST),
        viewer(events=[event("tool_result", **told)], subject=NEWEST, scenario="toolbox"),
        viewer(events=[event(x=1)], subject=NEWEST, traits=(DRAWN,)),
    ]
    unlisted, listed = names.listing(views)
    assert (unlisted.name, unlisted.since) == ("cwd", "")
    assert unlisted.of == ("event tool_result", "event user_prompt")
    assert unlisted.scenarios == ("toolbox", "working_day")
    assert listed.name == "anthropic.provider"
    assert listed.since.startswith("2.1.")
