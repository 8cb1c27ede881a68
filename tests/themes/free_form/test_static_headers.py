"""How drawn headers were sent, and the lies about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.run import ApiCall, GroundTruth
from harness.judging.items.view import CaptureView
from harness.otlp.model import Protocol
from harness.themes.free_form.mutants import LIES
from harness.themes.free_form.static_headers import VARIABLE, is_reserved, static_headers

if TYPE_CHECKING:
    from tests.conftest import Exporter, Require, Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))

Headers = tuple[tuple[str, str], ...]
Sent = Callable[..., Capture]


@pytest.fixture
def sent(viewer: Viewer, exporter: Exporter) -> Sent:
    """A session with ``text`` set, and with these headers on its requests."""

    def make(
        text: str, metrics: Headers, logs: Headers, protocol: Protocol = Protocol.HTTP_JSON
    ) -> Capture:
        exports = [
            exporter(points=[("a", 1.0, {})], headers=metrics, sequence=1, protocol=protocol),
            exporter(events=[{"body": "b"}], headers=logs, sequence=2, protocol=protocol),
        ]
        return viewer(
            exports=exports, environment={VARIABLE: text}, truth=ASKED, protocol=protocol
        ).capture

    return make


def views(capture: Capture) -> dict[str, Mapping[str, Any]]:
    """By signal, or ``session``."""
    return {item.view.get("signal", "session"): item.view for item in static_headers(capture)}


def test_headers_that_were_sent_as_they_were_given(sent: Sent) -> None:
    headers = (("x-a", "1"), ("X-B", "two"))
    seen = views(sent("X-A=1,x-b=two", headers, headers))
    assert set(seen) == {"session", "metrics", "logs"}
    for signal in ("metrics", "logs"):
        view = seen[signal]
        assert (view["wrong"], view["arrived"], view["transport"]) == ({}, 1, "http")
        assert (view["quirks"], view["encoded"], view["empty"]) == ([], False, False)
        assert (view["unsendable"], view["reserved"]) == (False, False)


def test_each_signal_speaks_of_its_own_requests(sent: Sent) -> None:
    seen = views(sent("x-a=b%20c,x-e=", (("x-a", "b%20c"),), (("x-e", ""),), Protocol.GRPC))
    assert seen["metrics"]["wrong"] == {
        "x-a": {"expected": "b c", "seen": "b%20c"},
        "x-e": {"expected": "", "seen": None},
    }
    assert seen["logs"]["wrong"] == {"x-a": {"expected": "b c", "seen": None}}
    assert (seen["logs"]["transport"], seen["logs"]["encoded"]) == ("grpc", True)
    assert seen["logs"]["empty"] is True


def test_what_did_not_arrive_is_all_wrong(viewer: Callable[..., CaptureView]) -> None:
    seen = views(viewer(environment={VARIABLE: "x-a=1"}, truth=ASKED).capture)
    for signal in ("metrics", "logs"):
        assert seen[signal]["arrived"] == 0
        assert seen[signal]["wrong"] == {"x-a": {"expected": "1", "seen": None}}


def test_a_session_without_work_has_no_requests(viewer: Callable[..., CaptureView]) -> None:
    seen = views(viewer(environment={VARIABLE: "x-a=1"}, exit_code=1).capture)
    assert seen == {"session": {"kind": "session", "ended": {"exit_code": 1, "asked": 0}}}


@pytest.mark.parametrize("text", ["x-a=%C3%A9", "x-a=%0A", "x-a=%20b", "x-a=b%20", "x-a=%00"])
def test_values_that_no_header_can_have(sent: Sent, text: str) -> None:
    assert views(sent(text, (), ()))["logs"]["unsendable"] is True


@pytest.mark.parametrize(
    "name", ["host", "te", "content-type", "content-length", "grpc-timeout", "x-trace-bin"]
)
def test_names_that_are_not_the_users_to_choose(sent: Sent, name: str) -> None:
    assert is_reserved(name)
    view = views(sent(f"{name}=1,x-a=1", (("x-a", "1"),), (("x-a", "1"),)))["logs"]
    assert (view["reserved"], view["wrong"]) == (True, {})


def test_nothing_is_measured_where_the_variable_is_not_set(
    viewer: Callable[..., CaptureView],
) -> None:
    assert static_headers(viewer(truth=ASKED).capture) == []


@pytest.mark.parametrize(
    ("lie", "seen"), [("header_lost", None), ("header_changed", "made up"), ("requests_lost", None)]
)
def test_a_lie_is_told_of_the_first_header(
    sent: Sent, requirement: Require, lie: str, seen: str | None
) -> None:
    headers = (("X-A", "1"), ("x-b", "2"))
    asks = requirement(
        "valid_if_present", kind="measured", name="static_headers", where={"kind": "requests"}
    )
    mutated = views(LIES[lie](sent("x-a=1,x-b=2", headers, headers), asks))
    for signal in ("metrics", "logs"):
        assert mutated[signal]["wrong"]["x-a"] == {"expected": "1", "seen": seen}
