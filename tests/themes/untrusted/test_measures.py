"""What happened before anybody trusted a project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.capture.capture import Connection
from harness.capture.observed import as_observed
from harness.themes.untrusted.facts import before_trust
from harness.themes.untrusted.measures import declined
from harness.themes.untrusted.observed import Declined

if TYPE_CHECKING:
    from tests.conftest import Viewer


def test_connections_and_the_helper_are_told(viewer: Viewer) -> None:
    seen = as_observed(Declined(helper_ran=True, asked_model=False))
    capture = viewer(observed=seen).capture
    capture = replace(capture, exports=(), connections=(Connection("project", 1),))
    (item,) = declined(capture)
    assert item.view == {"reached": ["project"], "helper_ran": True, "asked_model": False}
    assert [fact.value for fact in before_trust(capture)] == ["to project", "run", "not asked"]


def test_other_sessions_say_nothing(viewer: Viewer) -> None:
    assert declined(viewer().capture) == []
    assert list(before_trust(viewer().capture)) == []
