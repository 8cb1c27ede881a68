"""What requests carried and where they went, and the lies about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture, Connection
from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.otlp.model import Protocol
from harness.themes.settings.facts import heard
from harness.themes.settings.measures import carried
from harness.themes.settings.mutants import LIES
from harness.themes.settings.observed import CommandEnvironment

if TYPE_CHECKING:
    from tests.conftest import Exporter, Require, Viewer

ASKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))


def views(capture: Capture) -> dict[str, Mapping[str, Any]]:
    """By signal."""
    return {item.view["signal"]: item.view for item in carried(capture)}


@pytest.fixture
def sent(viewer: Viewer, exporter: Exporter) -> Capture:
    """Metrics, events, and metrics again, all to the winner."""
    common = {"resource": {"level": "local"}, "collector": "local"}
    exports = [
        exporter(points=[("a", 1.0, {})], headers=(("X-Level", "local"),), sequence=1, **common),
        exporter(events=[{"body": "b"}], headers=(("x-level", "local"),), sequence=2, **common),
        exporter(points=[("a", 1.0, {})], headers=(("x-level", "local"),), sequence=3, **common),
    ]
    return viewer(exports=exports, truth=ASKED).capture


# --- what the inventory takes of it


def test_the_inventory_tells_who_was_heard_and_whose_headers(sent: Capture) -> None:
    levels = replace(sent, run=replace(sent.run, scenario="settings_levels"))
    told = {fact.about: fact.value for fact in heard(levels)}
    assert told == {
        "all by settings": "to local",
        "headers by settings": "of local",
        "logs by settings": "to local",
        "metrics by settings": "to local",
    }
    assert list(heard(sent)) == []


# --- the measure


def test_each_signal_speaks_for_itself_and_one_item_for_all(
    viewer: Viewer, exporter: Exporter
) -> None:
    metrics = exporter(
        points=[("a", 1.0, {})],
        resource={"level": "user"},
        headers=(("X-Level", "user"),),
        collector="user",
    )
    logs = exporter(events=[{"body": "b"}], protocol=Protocol.GRPC, headers=(), collector="siem")
    seen = views(viewer(exports=[metrics, logs], truth=ASKED).capture)
    assert seen == {
        "metrics": {
            "signal": "metrics",
            "reached": ["user"],
            "signals": ["metrics"],
            "protocols": ["http/json"],
            "headers": {"x-level": ["user"]},
            "resource": {"level": ["user"]},
        },
        "logs": {
            "signal": "logs",
            "reached": ["siem"],
            "signals": ["logs"],
            "protocols": ["grpc"],
            "headers": {},
            "resource": {},
        },
        "all": {
            "signal": "all",
            "reached": ["siem", "user"],
            "signals": ["logs", "metrics"],
            "protocols": ["grpc", "http/json"],
            "headers": {"x-level": ["user", None]},
            "resource": {"level": ["user", None]},
        },
    }


def test_a_header_that_is_sent_twice_has_both_values(viewer: Viewer, exporter: Exporter) -> None:
    headers = (("x-level", "user"), ("X-Level", "managed"))
    twice = exporter(points=[("a", 1.0, {})], headers=headers)
    seen = views(viewer(exports=[twice], truth=ASKED).capture)
    assert seen["all"]["headers"] == {"x-level": ["managed", "user"]}


def test_a_mere_connection_is_no_signal(sent: Capture) -> None:
    seen = views(replace(sent, connections=(Connection("user", 1), Connection("local", 2))))
    assert seen["all"]["reached"] == ["local", "user"]
    assert seen["metrics"]["reached"] == seen["logs"]["reached"] == ["local"]


@pytest.mark.parametrize("broken", [{"rejected": "too large"}, {"body": b"{"}])
def test_what_cannot_be_read_still_has_headers(sent: Capture, broken: Mapping[str, Any]) -> None:
    unread = tuple(replace(export, **broken) for export in sent.exports)
    seen = views(replace(sent, exports=unread))
    assert seen["all"]["headers"] == {"x-level": ["local"]}
    assert seen["all"]["resource"] == {}


def test_nothing_sent_is_told_of_a_session_that_did_its_work(viewer: Viewer) -> None:
    (item,) = carried(viewer(truth=ASKED).capture)
    assert item.view["reached"] == item.view["signals"] == []
    assert carried(viewer(events=[{"body": "b"}]).capture) == []


# --- the lies

_METRICS, _LOGS, _ALL = ({"signal": name} for name in ("metrics", "logs", "all"))


@pytest.mark.parametrize(
    ("lie", "where", "path", "signal", "key", "seen"),
    [
        ("astray", _ALL, ("reached",), "all", "reached", ["local", "user"]),
        ("astray", _LOGS, ("reached",), "logs", "reached", ["user"]),
        ("connects_elsewhere", _ALL, ("reached",), "all", "reached", ["local", "user"]),
        ("nothing_sent", _ALL, ("reached",), "all", "signals", []),
        ("other_signal_only", _ALL, ("signals",), "all", "signals", ["metrics"]),
        (
            "header_of_another_level",
            _METRICS,
            ("headers", "x-level"),
            "metrics",
            "headers",
            {"x-level": ["another", "local"]},
        ),
        (
            "header_left_out",
            _LOGS,
            ("headers", "x-level"),
            "all",
            "headers",
            {"x-level": ["local", None]},
        ),
        (
            "header_added",
            _LOGS,
            ("headers", "x-own"),
            "logs",
            "headers",
            {"x-level": ["local"], "x-own": ["user"]},
        ),
        (
            "attribute_of_another_level",
            _ALL,
            ("resource", "level"),
            "all",
            "resource",
            {"level": ["another", "local"]},
        ),
    ],
)
def test_a_lie_is_seen_in_what_it_is_about(
    sent: Capture,
    requirement: Require,
    lie: str,
    where: Mapping[str, str],
    path: tuple[str, ...],
    signal: str,
    key: str,
    seen: object,
) -> None:
    promise = requirement(
        "present_and_valid", kind="measured", name="carried", path=path, where=where
    )
    assert views(LIES[lie](sent, promise))[signal][key] == seen


def test_a_lie_changes_one_request_only(sent: Capture, requirement: Require) -> None:
    promise = requirement("present_and_valid", where=_ALL)
    mutated = LIES["astray"](sent, promise)
    assert [export.collector for export in mutated.exports] == ["local", "local", "user"]
    assert mutated.exports[:2] == sent.exports[:2]


def test_a_loser_is_one_that_nobody_reached(sent: Capture, requirement: Require) -> None:
    to_user = tuple(replace(export, collector="user") for export in sent.exports)
    mutated = LIES["astray"](
        replace(sent, exports=to_user), requirement("present_and_valid", where=_ALL)
    )
    assert mutated.exports[-1].collector == "project"


def test_the_other_signal_is_the_one_that_was_not_sent(sent: Capture, requirement: Require) -> None:
    promise = requirement("present_and_valid", where=_ALL)
    events = replace(sent, exports=sent.exports[1:2])
    metrics = replace(sent, exports=sent.exports[2:])
    for capture in (events, metrics):
        seen = views(LIES["other_signal_too"](capture, promise))
        assert seen["all"]["signals"] == ["logs", "metrics"]


def test_a_variable_is_passed_on(viewer: Viewer, requirement: Require) -> None:
    capture = viewer(observed={**as_observed(CommandEnvironment(())), "other": 1}).capture
    mutated = LIES["passed_on"](capture, requirement("valid_if_present"))
    assert mutated.run.observed == {"passed_on": ["OTEL_EXPORTER_OTLP_ENDPOINT"], "other": 1}


@pytest.mark.parametrize(
    ("lie", "where", "path"),
    [
        ("astray", {"signal": "traces"}, ("reached",)),
        ("header_left_out", _METRICS, ("headers", "x-own")),
    ],
)
def test_where_there_is_nothing_to_lie_about_one_is_told(
    sent: Capture, requirement: Require, lie: str, where: Mapping[str, str], path: tuple[str, ...]
) -> None:
    promise = requirement("present_and_valid", path=path, where=where)
    with pytest.raises(ValueError, match=r"no request of traces|has no header x-own"):
        LIES[lie](sent, promise)
