"""What is told of a model's API behind TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.capture.capture import Capture, Connection
from harness.capture.observed import as_observed
from harness.themes.tls.facts import trusted_api
from harness.themes.tls.measures import tls_api
from harness.themes.tls.observed import TlsCollectors

if TYPE_CHECKING:
    from tests.conftest import Viewer


def seen(viewer: Viewer, certificates: tuple[str, ...] | None) -> Capture:
    return viewer(observed=as_observed(TlsCollectors(("trusted",), certificates))).capture


def views(capture: Capture) -> list[Any]:
    return [item.view for item in tls_api(capture)]


def values(capture: Capture) -> list[str]:
    return [fact.value for fact in trusted_api(capture)]


def test_what_an_api_was_shown(viewer: Viewer) -> None:
    there = seen(viewer, ("general",))
    assert views(there) == [{"asked": True, "certificates": ["general"]}]
    assert values(there) == ["asked", "showed general"]
    assert values(seen(viewer, ("",))) == ["asked", "showed no certificate"]


def test_an_api_that_was_asked_nothing(viewer: Viewer) -> None:
    told = replace(seen(viewer, ()), connections=(Connection("trusted", 1),))
    assert views(told) == [{"asked": False}]
    assert values(told) == ["not asked"]


def test_an_api_of_a_subject_that_connected_to_nothing_has_no_item(viewer: Viewer) -> None:
    idle = replace(seen(viewer, ()), connections=())
    assert views(idle) == []
    assert views(replace(idle, run=replace(idle.run, exit_code=1))) == [{"asked": False}]


def test_an_api_in_plain_text_has_no_item(viewer: Viewer) -> None:
    assert views(seen(viewer, None)) == []
    assert views(viewer().capture) == []
