"""Which slash commands are told of, by which names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.capture.observed import as_observed
from harness.themes.commands.facts import told
from harness.themes.commands.measures import commands
from harness.themes.commands.observed import Typed

if TYPE_CHECKING:
    from tests.conftest import Viewer

TYPED = as_observed(Typed({"context": "builtin", "greet": "custom", "gone": "unknown"}))


def event(name: str, **attributes: str) -> dict[str, Any]:
    return {"body": f"claude_code.{name}", "attributes": {"event.name": name, **attributes}}


EVENTS = [
    event("user_prompt", command_name="context", command_source="builtin"),
    event("user_prompt", command_name="custom", command_source="custom"),
    event("skill_activated", invocation_trigger="user-slash", **{"skill.name": "custom_skill"}),
    event("skill_activated", invocation_trigger="nested-skill", **{"skill.name": "other"}),
    event("user_prompt"),
]


def test_commands_are_told_by_their_source(viewer: Viewer) -> None:
    view = viewer(events=EVENTS, observed=TYPED)
    assert [item.view for item in commands(view.capture)] == [
        {"source": "builtin", "names": ["context"], "activated": ["custom_skill"]},
        {"source": "custom", "names": ["custom"], "activated": ["custom_skill"]},
    ]


def test_a_command_that_is_not_told_of_has_no_name(viewer: Viewer) -> None:
    view = viewer(events=EVENTS[-1:], observed=TYPED)
    assert all(item.view["names"] == [] for item in commands(view.capture))
    assert {fact.value for fact in told(view.capture)} == {"nothing", "1"}


def test_sessions_without_commands_say_nothing(viewer: Viewer) -> None:
    assert commands(viewer(events=EVENTS).capture) == []
    assert list(told(viewer(events=EVENTS).capture)) == []
