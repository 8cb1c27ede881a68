"""What a session says of itself, and of what is not in it."""

from __future__ import annotations

import pytest

from harness.plugin.session import Session
from tests.conftest import Viewer


@pytest.fixture
def session(viewer: Viewer) -> Session:
    def named(name: str, **attributes: str) -> dict[str, object]:
        return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}

    view = viewer(
        events=[named("tool_result", tool="Bash"), named("tool_result", tool="Read"), named("x")],
        points=[("claude_code.session.count", 1, {"type": "fresh"})],
        spans=[{"name": "work", "attributes": {"size": "3"}}],
    )
    return Session(view.capture)


def test_the_only_one_is_found(session: Session) -> None:
    assert session.event("x").attributes["event.name"] == "x"
    assert session.event("claude_code.tool_result", tool="Read").attributes["tool"] == "Read"
    assert session.data_point("claude_code.session.count", type="fresh").value == 1
    assert session.span("work") == session.spans("work", size="3")[0]


def test_more_than_one_is_told(session: Session) -> None:
    with pytest.raises(AssertionError) as caught:
        session.event("tool_result")
    first, *rest = str(caught.value).splitlines()
    assert first == "expected one event 'tool_result', saw 2"
    assert [("'tool': 'Bash'" in line, "'tool': 'Read'" in line) for line in rest] == [
        (True, False),
        (False, True),
    ]


def test_the_nearest_is_told(session: Session) -> None:
    with pytest.raises(AssertionError) as caught:
        session.event("tool_result", tool="Grep")
    assert str(caught.value).splitlines() == [
        "expected one event 'tool_result' with tool='Grep', saw none",
        "nearest of that name:",
        "  tool is 'Bash', not 'Grep'",
        "  tool is 'Read', not 'Grep'",
    ]
    with pytest.raises(AssertionError, match=r"nearest names: claude_code\.session\.count"):
        session.data_point("claude_code.sessions.count")
    with pytest.raises(AssertionError, match="there is: work"):
        session.span("unlike")


def test_it_is_one_line(session: Session) -> None:
    shown = "<session of claude 2.1.31 over http/json: exit code 0, 3 exports>"
    assert repr(session) == shown
