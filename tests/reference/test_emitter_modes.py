"""The permission modes of the conforming emitter, as a person goes through them."""

from __future__ import annotations

import pytest

from harness.reference.client import ToolUse
from harness.reference.permissions import Gate, Permissions, Reply


@pytest.mark.parametrize(
    ("begun", "modes"),
    [
        ("default", ["acceptEdits", "plan", "default"]),
        ("bypassPermissions", ["default", "acceptEdits", "plan"]),
    ],
)
def test_each_mode_follows_the_one_before(begun: str, modes: list[str]) -> None:
    gate = Gate(Permissions(mode=begun), None)
    switched = [gate.switch_mode() for _ in modes]
    assert switched == list(zip([begun, *modes], modes, strict=False))


def test_edits_that_are_accepted_for_the_session_are_a_mode() -> None:
    gate = Gate(Permissions(), lambda use: Reply.YES_FOR_THE_SESSION)
    assert gate.decide(ToolUse("toolu_1", "Write", {"file_path": "a", "content": ""})).accepted
    assert gate.switch_mode() == ("acceptEdits", "plan")
