"""What reached whom, and what is not judged because it was not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Connection
from harness.capture.export import Export
from harness.capture.observed import as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.contract.applicability import JUDGED_ONLY_BY_NAME, applies_to_run, exports_only
from harness.contract.catalogue import Contract
from harness.contract.requirement import Selector
from harness.exposition import CONSOLE, PROMETHEUS, UNSEEN
from harness.findings import Judged, NotExercised
from harness.judging.items.view import CaptureView
from harness.judging.judge import Judge
from harness.otlp.model import Protocol, Signal
from harness.running.scenario import PlannedRun
from harness.themes.catalogue import MEASURES
from harness.themes.exporters.observed import Endpoint, Scrape

if TYPE_CHECKING:
    from tests.conftest import Exporter, Require, Viewer

COMMITS = "claude_code.commit.count"
WORKED = GroundTruth(api_calls=(ApiCall("m", 200, False, True, "req_1"),))
SHOWN: Mapping[str, Any] = {"method": "", "protocol": Protocol.HTTP_JSON}


def a_day(*traits: str) -> PlannedRun:
    return PlannedRun("a_day", Protocol.GRPC, {}, traits)


def measured(name: str, view: CaptureView) -> Sequence[Mapping[str, Any]]:
    return [item.view for item in MEASURES[name](view.capture)]


@pytest.fixture
def shown(exporter: Exporter) -> Exporter:
    """Make an export that was shown, not sent."""

    def make(collector: str = CONSOLE, **items: Any) -> Export:
        sent = exporter(**items)
        return replace(sent, collector=collector, method="", protocol=None)

    return make


def scrape(text: str, content_type: str = "") -> Scrape:
    return Scrape("http://localhost:1/metrics", 1, content_type, text)


# --- what left a session


def leaving(view: CaptureView, *moments: int) -> Sequence[Mapping[str, Any]]:
    connections = tuple(Connection("main", moment) for moment in moments)
    return measured(
        "leaks_out", CaptureView(replace(view.capture, connections=connections), MEASURES)
    )


def test_only_who_came_during_the_session_counts(viewer: Viewer) -> None:
    view = viewer(truth=WORKED, started_unix_nano=100, observed=as_observed(Endpoint(served=False)))
    assert leaving(view, 99) == [{"connections": 0, "printed": 0, "served": False}]
    assert leaving(view, 99, 100, 101)[0]["connections"] == 2


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ({}, [{"reached": []}]),
        ({"reached": ("example.com",)}, [{"reached": ["example.com"]}]),
        # Nothing is known of a network that nobody watched, nor of a session that did nothing.
        ({"unwatched": "not permitted"}, []),
        ({"api_calls": ()}, []),
    ],
)
def test_what_a_session_reached_for_is_told_where_it_was_watched(
    truth: Mapping[str, Any], expected: list[Mapping[str, Any]], viewer: Viewer
) -> None:
    assert measured("reaches", viewer(truth=replace(WORKED, **truth))) == expected


def test_what_was_printed_counts(viewer: Viewer, shown: Exporter) -> None:
    exports = [shown(points=[(COMMITS, 1.0, {})]), shown(events=[{"body": "x"}])]
    view = viewer(truth=WORKED, started_unix_nano=100, exports=exports)
    assert leaving(view, 99)[0]["printed"] == 2


def test_silence_proves_nothing_without_a_witness(viewer: Viewer) -> None:
    assert leaving(viewer(truth=WORKED, started_unix_nano=100)) == []
    assert leaving(viewer(truth=WORKED, started_unix_nano=100), 100) == []


@pytest.mark.parametrize("facts", [{"truth": GroundTruth()}, {"truth": WORKED, "exit_code": 1}])
def test_silence_proves_nothing_of_a_session_without_work(
    viewer: Viewer, facts: Mapping[str, Any]
) -> None:
    assert leaving(viewer(started_unix_nano=100, **facts), 99) == []


# --- what arrived


def test_arrivals_are_counted_by_signal(viewer: Viewer) -> None:
    view = viewer(truth=WORKED, points=[(COMMITS, 1.0, {})] * 2, events=[{"body": "x"}])
    assert measured("arrivals", view) == [{"metrics": 2, "logs": 1, "traces": 0}]


def test_a_session_that_worked_is_to_export_something(viewer: Viewer) -> None:
    nothing = {"metrics": 0, "logs": 0, "traces": 0}
    assert measured("arrivals", viewer(truth=WORKED)) == [nothing]
    assert measured("arrivals", viewer()) == []


def test_deliveries_go_by_collector(viewer: Viewer, exporter: Exporter, shown: Exporter) -> None:
    points: list[Any] = [(COMMITS, 1.0, {}, {"time": 1}), (COMMITS, 1.0, {}, {"time": 2})]
    view = viewer(
        truth=WORKED,
        exports=[
            exporter(
                points=points,
                protocol=Protocol.HTTP_PROTOBUF,
                collector="a",
                headers=(("Authorization", "Bearer b"),),
            ),
            exporter(events=[{"body": "x"}], protocol=Protocol.GRPC, collector="b"),
            shown(points=points[:1]),
        ],
        observed=as_observed(scrape("")),
    )
    assert measured("received", view) == [
        {
            "a": {
                "metrics": 2,
                "logs": 0,
                "protocols": {"http/protobuf": 1},
                "authorization": ["Bearer b"],
                "batches": 2,
            },
            "b": {
                "metrics": 0,
                "logs": 1,
                "protocols": {"grpc": 1},
                "authorization": [""],
                "batches": 0,
            },
            "console": {
                "metrics": 1,
                "logs": 0,
                "protocols": {},
                "authorization": [""],
                "batches": 1,
            },
            "scraped": "http://localhost:1/metrics",
        }
    ]


def test_the_usual_gap_is_known_from_three_batches_on(viewer: Viewer, shown: Exporter) -> None:
    def gap(*seconds: float) -> Any:
        points: list[Any] = [(COMMITS, 1.0, {}, {"time": round(at * 1e9)}) for at in seconds]
        (got,) = measured("received", viewer(truth=WORKED, exports=[shown(points=points)]))
        return got["console"].get("usual_gap_s")

    assert gap(1, 2) is None
    assert gap(1, 2, 2.4) == pytest.approx(0.7)
    assert gap(4, 1, 2, 3.5, 3.5) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("content_type", "right"),
    [
        ("text/plain", True),
        ("text/plain; version=0.0.4; charset=utf-8", True),
        ("text/plain; charset=utf-8", True),
        ("text/plain; version=1.0.0", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_scrape_is_plain_text(
    viewer: Viewer, judge: Judge, contract: Contract, content_type: str, right: bool
) -> None:
    seen = as_observed(scrape("# TYPE a gauge\na 1\n", content_type))
    view = viewer(scenario="example_prometheus", observed=seen)
    outcome = judge.judge(contract.requirement("exporters.prometheus.valid"), [view]).outcome
    assert isinstance(outcome, Judged)
    assert (outcome.findings == ()) is right


def both(
    viewer: Viewer, shown: Exporter, collector: str, sent: Sequence[Any], seen: Sequence[Any]
) -> CaptureView:
    exports = [shown(collector, points=[each]) for each in seen]
    return viewer(truth=WORKED, points=sent, exports=exports)


def test_totals_are_compared_stream_by_stream(viewer: Viewer, shown: Exporter) -> None:
    cumulative = {"temporality": "cumulative"}
    sent = [(COMMITS, 1.0, {"a": "x"}), (COMMITS, 2.0, {"a": "x"}), (COMMITS, 5.0, {"a": "y"})]
    seen = [
        (COMMITS, 1.0, {"a": "x"}, cumulative),
        (COMMITS, 3.0, {"a": "x"}, cumulative),
        (COMMITS, 7.0, {"a": "z"}, cumulative),
    ]
    found = measured("printed_metrics", both(viewer, shown, CONSOLE, sent, seen))
    assert [(each["exported"], each["shown"], each["difference"]) for each in found] == [
        (3.0, 3.0, 0.0),
        (5.0, None, -5.0),
        (None, 7.0, 7.0),
    ]


def test_labels_are_compared_as_prometheus_writes_them(viewer: Viewer, shown: Exporter) -> None:
    sent = [(COMMITS, 1.0, {"a.b": True, "n": 3})]
    seen = [(COMMITS, 1.0, {"a_b": "true", "n": "3"})]
    (found,) = measured("served_metrics", both(viewer, shown, PROMETHEUS, sent, seen))
    assert found["difference"] == 0.0


def test_there_is_nothing_to_compare_without_both(viewer: Viewer, shown: Exporter) -> None:
    seen: list[Any] = [(COMMITS, 1.0, {})]
    assert measured("printed_metrics", both(viewer, shown, CONSOLE, [], seen)) == []
    assert measured("printed_events", viewer(truth=WORKED)) == []


def test_events_are_compared_word_for_word(viewer: Viewer, shown: Exporter) -> None:
    def event(number: float) -> Mapping[str, Any]:
        return {"body": "x", "attributes": {"cost": number}}

    exports = [shown(events=[event(each)]) for each in (1, 1, 3)]
    view = viewer(events=[event(each) for each in (1.0, 2.0)], exports=exports)
    assert sorted(each["missing"] for each in measured("printed_events", view)) == [-1, -1, 1]


def test_what_is_wrong_with_an_object_is_told(viewer: Viewer, shown: Exporter) -> None:
    broken = shown(events=[{"body": "x"}], rejected="line 3: no")
    view = viewer(exports=[shown(events=[{"body": "x"}]), broken])
    assert [each["problem"] for each in measured("printed_objects", view)] == ["", "line 3: no"]


def test_what_is_wrong_with_a_scrape_is_told(viewer: Viewer) -> None:
    text = "# UNIT a s\na 1\n"
    view = viewer(observed=as_observed(scrape(text)))
    assert measured("exposition", view) == [
        {
            "content_type": "",
            "problems": ["line 2: a has no TYPE"],
            "openmetrics": ["# UNIT a s"],
        }
    ]
    assert measured("exposition", viewer()) == []


# --- what is judged


def test_what_is_not_shown_is_neither_right_nor_wrong(
    viewer: Viewer, shown: Exporter, judge: Judge, requirement: Require
) -> None:
    view = viewer(exports=[shown(points=[(COMMITS, 1.0, {})])])
    for path in UNSEEN[CONSOLE]:
        asked = requirement("present", kind="metrics", path=path, name="")
        assert isinstance(judge.judge(asked, [view]).outcome, NotExercised)
    asked = requirement(
        "present_and_valid", kind="metrics", name="", path=("value",), schema={"const": 1.0}
    )
    assert judge.judge(asked, [view]).outcome == Judged(1)


def test_no_time_is_no_disorder(
    viewer: Viewer, shown: Exporter, judge: Judge, requirement: Require
) -> None:
    view = viewer(exports=[shown(PROMETHEUS, points=[(COMMITS, 1.0, {})])])
    asked = requirement("times_ordered", kind="metrics", name="")
    assert isinstance(judge.judge(asked, [view]).outcome, NotExercised)


def test_what_was_shown_is_no_request(viewer: Viewer, shown: Exporter) -> None:
    view = viewer(exports=[shown(points=[(COMMITS, 1.0, {})])], events=[{"body": "x"}])
    (request,) = view.select(Selector("exports"))
    assert request.view["signal"] is Signal.LOGS
    assert len(view.select(Selector("items"))) == 2
    assert [item.view["signal"] for item in view.select(Selector("resources"))] == [Signal.LOGS]


@pytest.mark.parametrize(
    ("kind", "name", "without"),
    [
        ("metric", COMMITS, "without_metrics"),
        ("metrics", "", "without_metrics"),
        ("scopes", "metrics", "without_metrics"),
        ("event", "user_prompt", "without_logs"),
        ("events", "", "without_logs"),
        ("scopes", "logs", "without_logs"),
        ("span", "interaction", "without_traces"),
        ("spans", "", "without_traces"),
        ("scopes", "traces", "without_traces"),
    ],
)
def test_nothing_is_asked_of_a_signal_that_is_off(
    requirement: Require, kind: str, name: str, without: str
) -> None:
    asked = requirement("present", kind=kind, name=name, scenarios=())
    assert applies_to_run(asked, a_day())
    assert not applies_to_run(asked, a_day(without))
    other = {"without_metrics", "without_logs", "without_traces"} - {without}
    assert applies_to_run(asked, a_day(*other))
    named = requirement("present", kind=kind, name=name, scenarios=("a_day",))
    assert applies_to_run(named, a_day(without, JUDGED_ONLY_BY_NAME))


@pytest.mark.parametrize("kind", ["items", "resources", "exports"])
def test_what_is_common_to_the_signals_is_asked_of_either(requirement: Require, kind: str) -> None:
    asked = requirement("present", kind=kind, name="", scenarios=())
    assert all(applies_to_run(asked, a_day(*exports_only(signal))) for signal in Signal)


def test_a_run_that_exports_one_signal_says_nothing_of_the_others() -> None:
    assert exports_only(Signal.METRICS) == ("without_logs", "without_traces")
    assert exports_only(Signal.METRICS, Signal.LOGS) == ("without_traces",)
