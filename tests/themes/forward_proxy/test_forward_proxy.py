"""By which way each target of a session beside a forward proxy was reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.capture.observed import with_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.themes.forward_proxy.facts import FACTS
from harness.themes.forward_proxy.measures import proxied
from harness.themes.forward_proxy.observed import API, Asked, Proxied

if TYPE_CHECKING:
    from harness.capture.capture import Capture
    from tests.conftest import Viewer


def capture_of(viewer: Viewer, *asked: Asked, exports: str = "plain") -> Capture:
    call = ApiCall("m", 200, auxiliary=False, streamed=True, request_id="r")
    truth = GroundTruth(api_calls=(call,))
    capture = viewer(events=[{"event.name": "user_prompt"}], truth=truth).capture
    arrived = tuple(replace(export, collector=exports) for export in capture.exports)
    seen = Proxied({API: False, "plain": False}, asked)
    return with_observed(replace(capture, exports=arrived), seen)


TUNNEL = Asked("plain", tunnel=True, passed_on=True, authorized=True)
REFUSED = replace(TUNNEL, passed_on=False)
BARE = replace(TUNNEL, tunnel=False, authorized=False)


@pytest.mark.parametrize(
    ("asked", "arrived_at", "wanted"),
    [
        ((TUNNEL,), "plain", ("by the proxy", ["tunnel"], True)),
        ((TUNNEL, BARE), "plain", ("by the proxy", ["absolute", "tunnel"], False)),
        ((), "plain", ("directly", None, None)),
        ((REFUSED,), "another", ("refused", ["tunnel"], True)),
        ((), "another", ("nowhere", None, None)),
    ],
    ids=["tunnel", "both forms", "directly", "refused", "nowhere"],
)
def test_by_which_way_a_collector_was_reached(
    viewer: Viewer, asked: tuple[Asked, ...], arrived_at: str, wanted: tuple[object, ...]
) -> None:
    items = {
        item.view["target"]: item.view
        for item in proxied(capture_of(viewer, *asked, exports=arrived_at))
    }
    view = items["plain"]
    assert (view["way"], view.get("forms"), view.get("authorized")) == wanted
    assert items[API]["way"] == "directly"


def test_what_else_the_proxy_was_asked_for_is_a_fact(viewer: Viewer) -> None:
    elsewhere = replace(REFUSED, target="elsewhere.example:443")
    capture = capture_of(viewer, TUNNEL, elsewhere)
    facts = {(fact.about, fact.value) for source in FACTS for fact in source(capture)}
    assert ("asked of a proxy besides", "elsewhere.example:443") in facts
    assert ("plain beside a proxy, http/json", "by the proxy") in facts
