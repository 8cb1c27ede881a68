"""Where requests went, beside what the variables of the run say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Connection
from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.judging.items.view import export_view
from harness.otlp.model import Protocol, Signal
from harness.themes.routing.measures import destinations, routes
from harness.themes.routing.observed import ApiHeaders

if TYPE_CHECKING:
    from tests.conftest import Exporter, Viewer

OTLP = "OTEL_EXPORTER_OTLP_"
ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))


@pytest.fixture
def route(viewer: Viewer, exporter: Exporter) -> Callable[..., Mapping[str, Any]]:
    """The route of one export of metrics in a run with these variables."""

    def measure(variables: Mapping[str, str], **fields: Any) -> Mapping[str, Any]:
        environment = {f"{OTLP}{name}": value for name, value in variables.items()}
        export = exporter(points=[("a", 1.0, {})], **fields)
        (item,) = routes(viewer(exports=[export], environment=environment).capture)
        return item.view

    return measure


@pytest.mark.parametrize(
    ("variables", "by"),
    [
        ({}, "none"),
        ({"ENDPOINT": "http://h"}, "general"),
        ({"ENDPOINT": "http://h", "METRICS_ENDPOINT": ""}, "general"),
        ({"ENDPOINT": "http://h", "METRICS_ENDPOINT": "http://i"}, "own"),
        ({"ENDPOINT": "http://h", "LOGS_ENDPOINT": "http://i"}, "general"),
        ({"METRICS_ENDPOINT": "http://i"}, "own"),
    ],
)
def test_which_variable_decides(
    route: Callable[..., Mapping[str, Any]], variables: Mapping[str, str], by: str
) -> None:
    seen = route(variables)
    assert seen["endpoint_by"] == by
    assert seen["protocol_by"] == "none"
    assert seen["own_is_empty"] is ("" in variables.values())


@pytest.mark.parametrize(
    ("endpoint", "path", "ending", "added"),
    [
        ("http://h:1", "/", "none", "/"),
        ("http://h:1", "/v1/metrics", "none", "/v1/metrics"),
        ("http://h:1/x", "/x/v1/metrics", "path", "/v1/metrics"),
        ("http://h:1/x", "/v1/metrics", "path", None),
        ("http://h:1/x/", "/x/v1/metrics", "/", "v1/metrics"),
        ("http://h:1/x/", "/x//v1/metrics", "/", "/v1/metrics"),
        ("http://h:1/x/", "/x", "/", None),
        ("http://h:1/x?tenant=1", "/x?tenant=1", "path", ""),
    ],
)
def test_what_is_added_to_an_endpoint(
    route: Callable[..., Mapping[str, Any]],
    endpoint: str,
    path: str,
    ending: str,
    added: str | None,
) -> None:
    seen = route({"METRICS_ENDPOINT": endpoint}, path=path)
    assert (seen["ending"], seen["added"]) == (ending, added)


def test_the_protocol_that_is_configured_and_the_one_that_is_used(
    route: Callable[..., Mapping[str, Any]],
) -> None:
    seen = route({"PROTOCOL": "GRPC"}, protocol=Protocol.GRPC, collector="other")
    assert seen["protocol"] == {"configured": "grpc", "used": "grpc"}
    assert seen["way"] == "metrics to other"
    assert seen["protocol_by"] == "general"
    assert not {"added", "ending", "compressed"} & seen.keys()


def test_a_compressed_body_is_told_by_its_header(
    route: Callable[..., Mapping[str, Any]],
) -> None:
    assert route({})["compressed"] is False
    assert route({}, headers=(("Content-Encoding", "gzip"),))["compressed"] is True


def test_a_request_of_no_signal_has_no_route(viewer: Viewer, exporter: Exporter) -> None:
    lost = replace(exporter(points=[("a", 1.0, {})]), signal=None, path="//[", status=404)
    assert routes(viewer(exports=[lost]).capture) == []


def test_other_values_of_a_header_are_seen(exporter: Exporter) -> None:
    """Whichever of them a server takes."""
    pairs = (("A", "1"), ("b", "2"), ("a", "3"), ("B", "2"))
    view = export_view(exporter(points=[("a", 1.0, {})], headers=pairs))
    assert view["headers"] == {"a": "1, 3", "b": "2"}


def test_the_destinations_of_a_session_that_did_its_work(viewer: Viewer) -> None:
    seen = as_observed(ApiHeaders(api_requests=3, with_otlp_headers=2))
    view = viewer(events=[{"body": "a"}], truth=ASKED, observed={**seen, "other": 1})
    capture = replace(view.capture, connections=(Connection("b", 1), Connection("a", 2)))
    (item,) = destinations(capture)
    assert item.view == {
        "signals": [Signal.LOGS.value],
        "silent": False,
        "reached": ["a", "b"],
        "with_otlp_headers": 2,
    }


def test_a_session_that_asked_nothing_tells_nothing(viewer: Viewer) -> None:
    assert destinations(viewer(events=[{"body": "a"}]).capture) == []
    (item,) = destinations(viewer(truth=ASKED).capture)
    assert item.view == {"signals": [], "silent": True}
