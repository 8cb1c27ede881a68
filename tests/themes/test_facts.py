"""What each theme tells of its own sessions, for the inventory of a release."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.observed import Observation, as_observed
from harness.capture.run import ApiCall, GroundTruth
from harness.contract.requirement import DRAWN
from harness.drift.facts import Topic
from harness.themes.catalogue import FACTS
from harness.themes.delivery.facts import sent_again
from harness.themes.exporters.facts import by_exporter, scraped
from harness.themes.exporters.observed import Scrape
from harness.themes.folders import modules
from harness.themes.free_form.facts import arrived
from harness.themes.headers_helper.facts import carriers, reports
from harness.themes.headers_helper.observed import HelperLog, HelperRun
from harness.themes.intervals.facts import pace
from harness.themes.mentions.facts import logged
from harness.themes.mentions.observed import Mentioned
from harness.themes.routing.facts import routed, told_to_the_api
from harness.themes.routing.observed import ApiHeaders
from harness.themes.settings.facts import heard, inherited
from harness.themes.settings.observed import CommandEnvironment
from harness.themes.tls.facts import trusted
from harness.themes.tls.observed import TlsCollectors

if TYPE_CHECKING:
    from tests.conftest import Exporter, Viewer

CALL = ApiCall("m", 200, auxiliary=False, streamed=True, request_id="req_1")
ASKED = GroundTruth(api_calls=(CALL,))
HELPER = HelperLog((HelperRun(1, 1, 2, ()),), ("x-key",), "x-static", "x-bad", "bye", 0, ())
TO_THE_MODEL = "requests to the model"
EVENT = {"attributes": {"event.name": "user_prompt"}}


def test_facts_are_found_by_their_folder() -> None:
    assert len(FACTS) == len({facts.__name__ for facts in FACTS})
    assert {module.__name__.split(".")[2] for module in modules("facts")} >= {"tls", "settings"}


@pytest.mark.parametrize(
    ("facts", "observed", "topic", "about", "value"),
    [
        (inherited, CommandEnvironment(()), "inherited", "variables of a command", "nothing"),
        (inherited, CommandEnvironment(("A",)), "inherited", "variables of a command", "A"),
        (told_to_the_api, ApiHeaders(1, 1), "inherited", TO_THE_MODEL, "headers for collectors"),
        (told_to_the_api, ApiHeaders(1, 0), "inherited", TO_THE_MODEL, "nothing"),
        (scraped, Scrape("u", 1, "text", ""), "route", "content type of a scrape", "text"),
        (logged, Mentioned({"file": 1}), "accounting", "mentions of type file", "fewer"),
        (reports, HELPER, "said", "the helper on stderr", "not spoken of"),
        (carriers, HELPER, "calls", "command line of the helper", "0 arguments"),
        (trusted, TlsCollectors(("a",)), "route", "a over TLS and http/json", "got nothing"),
    ],
)  # fmt: skip
def test_what_a_scenario_observed_is_told(
    viewer: Viewer, facts: Any, observed: Observation, topic: str, about: str, value: str
) -> None:
    seen = viewer(truth=ASKED, observed=as_observed(observed))
    found = {(fact.topic, fact.about): fact.value for fact in facts(seen.capture)}
    assert found[Topic(topic), about] == value
    assert list(facts(viewer(truth=ASKED).capture)) == [], "nobody looked"


def test_what_becomes_of_a_refused_request(viewer: Viewer, exporter: Exporter) -> None:
    refused = exporter(events=[EVENT], answered="busy", rejected="busy", sequence=1)
    again = exporter(events=[EVENT], sequence=2)
    for exports, value in (([refused], "given up"), ([refused, again], "sent again")):
        (fact,) = sent_again(viewer(exports=exports).capture)
        assert (fact.about, fact.value) == ("logs answered busy over http/json", value)
    assert list(sent_again(viewer(exports=[again]).capture)) == []


def test_which_exporter_exports_what(viewer: Viewer, exporter: Exporter) -> None:
    def told(*exports: Any, scenario: str = "no_metrics") -> set[str]:
        view = viewer(exports=exports, scenario=scenario, truth=ASKED)
        return {fact.value for fact in by_exporter(view.capture)}

    sent = exporter(events=[EVENT])
    printed = replace(sent, protocol=None, method="", collector="console")
    assert told(sent, printed) == {"logs to a collector", "logs printed"}
    assert told() == {"nothing"}
    assert told(sent, scenario="toolbox") == set()


@pytest.mark.parametrize(
    ("text", "traits", "values"),
    [
        ("team=blue", (DRAWN,), {"all of the sound pairs", "as it was"}),
        ("team=red", (DRAWN,), {"all of the sound pairs", "another value"}),
        ("gone=blue", (DRAWN,), {"none of the sound pairs", "another value"}),
        ("team=blue", (), set()),
    ],
)
def test_what_becomes_of_odd_input(
    viewer: Viewer, text: str, traits: tuple[str, ...], values: set[str]
) -> None:
    view = viewer(
        events=[{"attributes": {"event.name": "user_prompt", "team": "blue"}}],
        environment={"OTEL_RESOURCE_ATTRIBUTES": text},
        traits=traits,
    )
    about = "OTEL_RESOURCE_ATTRIBUTES with nothing odd: labels of logs"
    assert {fact.value for fact in arrived(view.capture) if fact.about == about} == values


@pytest.mark.parametrize(
    ("arrived_s", "value"),
    [(3.0, "as configured"), (1.0, "sooner"), (9.0, "later"), (0.0, "at the end alone")],
)
def test_how_often_a_signal_is_exported(
    viewer: Viewer, exporter: Exporter, arrived_s: float, value: str
) -> None:
    when = int(arrived_s * 1e9)
    record = {**EVENT, "time_unix_nano": 1}
    exports = [exporter(events=[record], arrived_unix_nano=when or 40_000_000_000)]
    calls = tuple(replace(CALL, arrived_unix_nano=moment) for moment in (1, 30_000_000_000))
    view = viewer(
        exports=exports,
        scenario="intervals_short",
        truth=GroundTruth(api_calls=calls),
        environment={"OTEL_LOGS_EXPORTER": "otlp", "OTEL_LOGS_EXPORT_INTERVAL": "3000"},
    )
    assert [(fact.about, fact.value) for fact in pace(view.capture)] == [("logs", value)]
    assert list(pace(replace(view.capture, run=replace(view.run, scenario="toolbox")))) == []


def test_where_signals_go(viewer: Viewer, exporter: Exporter) -> None:
    sent = exporter(events=[EVENT], collector="managed", path="/v1/logs")
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    view = viewer(
        exports=[sent], scenario="one_variable_each", truth=ASKED, environment=environment
    )
    assert {(fact.about, fact.value) for fact in routed(view.capture)} == {
        ("logs", "to managed by http/json, path + '/v1/logs'"),
        ("metrics", "nowhere"),
    }
    view = viewer(exports=[sent], scenario="settings_siem", truth=ASKED)
    assert {(fact.about, fact.value) for fact in heard(view.capture)} == {
        ("logs by settings", "to managed"),
        ("all by settings", "to managed"),
    }
    assert list(heard(viewer(exports=[sent], truth=ASKED).capture)) == []
