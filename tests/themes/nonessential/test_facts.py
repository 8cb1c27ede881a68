"""What is told of nonessential traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.capture.run import GroundTruth
from harness.themes.nonessential.facts import looked_for

if TYPE_CHECKING:
    from tests.conftest import Viewer

SCENARIO = "nonessential_traffic"


@pytest.mark.parametrize(
    ("reached", "asked", "told"),
    [
        ((), (), ["nothing", "nothing"]),
        (
            ("api.example.com", "1.2.3.4:443 (tcp)"),
            (),
            ["an address, port 443 (tcp)", "api.example.com", "nothing"],
        ),
        ((), ("GET /api/org/4f2a91/x", "GET /api/org/77b0/x"), ["nothing", "GET /api/org/…/x"]),
    ],
    ids=["nothing", "names and addresses", "requests"],
)
def test_places_and_requests_are_classes(
    viewer: Viewer, reached: tuple[str, ...], asked: tuple[str, ...], told: list[str]
) -> None:
    truth = GroundTruth(reached=reached, unknown_requests=asked)
    capture = viewer(scenario=SCENARIO, truth=truth).capture
    assert [fact.value for fact in looked_for(capture)] == told


def test_what_nobody_watched_is_not_told(viewer: Viewer) -> None:
    truth = GroundTruth(unwatched="no namespaces here")
    (only,) = looked_for(viewer(scenario=SCENARIO, truth=truth).capture)
    assert "server" in only.about


def test_other_sessions_tell_nothing(viewer: Viewer) -> None:
    assert not list(looked_for(viewer(truth=GroundTruth(reached=("api.example.com",))).capture))
