"""What is said of sums that are wrong, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.capture.capture import Capture
from harness.capture.export import Export
from harness.exposition import SCRAPE, WRITE, series
from harness.exposition.scraped import Scraped
from harness.exposition.translation import Strategy
from harness.judging.items.item import Item
from harness.relay.observed import Restarts
from harness.relay_themes.series import measures
from harness.relay_themes.series.observed import Scrapes, SeriesRun

if TYPE_CHECKING:
    from tests.conftest import Exporter
    from tests.relay_themes.series.conftest import Relay, Runner, Sender

TOKENS = "claude_code.token.usage"
Make = Callable[..., "Relay"]
Session = Callable[..., list[Export]]


def item(capture: Capture, name: str, **by: str) -> Item:
    [found] = [
        each
        for each in measures.totals(capture)
        if each.view["name"] == name and each.view["by"] == by
    ]
    return found


def views(items: Sequence[Item]) -> list[Mapping[str, Any]]:
    return [each.view for each in items]


def test_a_total_that_a_delta_replaces_is_told_with_the_remedy(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    # The requests of a session as it was measured; the last two have no gap between them.
    requests = a_session(inputs=(1046, 1083, 1120, 1157, 1194))
    capture = passed(make_relay(replaces=True), requests)
    seen = item(capture, TOKENS, type="input")
    assert seen.where.startswith(
        "series over grpc · claude_code.token.usage type=input: 5600 tokens were sent, the scrape "
        "says 1194 (found as claude_code_token_usage_tokens_total); deltas with gaps go into the "
        "`prometheus` exporter"
    )
    assert "`deltatocumulative`" in seen.where
    assert "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative" in seen.where
    assert seen.view["cause"] == "deltas with gaps"
    assert seen.view["sent_total"] == 5600
    assert seen.view["seen_total"] == 1194
    assert seen.view["missing"] == pytest.approx((5600 - 1194) / 5600)
    assert item(capture, "claude_code.session.count").view["missing"] == 0


@pytest.mark.parametrize("temporality", ["delta", "cumulative"])
def test_with_the_remedy_nothing_is_missing(
    temporality: str, passed: Runner, make_relay: Make, send: Sender
) -> None:
    windows = [(0, 1), (3, 4), (4, 5)]
    values = [10.0, 20.0, 30.0] if temporality == "delta" else [10.0, 30.0, 60.0]
    requests = [
        send(
            [(TOKENS, value, {"type": "input"}, start if temporality == "delta" else 0, end)],
            at=end,
            temporality=temporality,
        )
        for (start, end), value in zip(windows, values, strict=True)
    ]
    # A relay that adds up deltas, or the exporter as it is for what comes cumulative.
    capture = passed(make_relay(replaces=temporality == "cumulative"), requests)
    [seen] = measures.totals(capture)
    assert (seen.view["sent_total"], seen.view["missing"], seen.view["cause"]) == (60, 0, "")
    assert seen.where.endswith(
        "60 tokens were sent, the scrape says 60 (found as claude_code_token_usage_tokens_total)"
    )


def test_deltas_that_are_taken_and_dropped(
    exporter: Exporter, passed: Runner, make_relay: Make, a_session: Session
) -> None:
    events = exporter(events=[{"body": "claude_code.user_prompt"}] * 3, collector="grpc")
    sent = a_session()
    capture = passed(make_relay(loses=lambda number: True), sent, SeriesRun(outlets=(WRITE,)))
    capture = replace(capture, exports=(*capture.exports, events))
    seen = item(capture, TOKENS, type="input")
    assert seen.view["found_as"] == []
    assert seen.view["missing"] == 1
    assert seen.view["cause"] == "deltas dropped"
    assert (
        "remote write says nothing of it; no metric came out at all, while 3 events came out"
        in (seen.where)
    )
    names = views(measures.series_names(capture))
    assert {view["found"] for view in names} == {0}
    assert not any("unit_suffix" in view for view in names)


def test_an_outlet_that_nobody_spoke_of_and_that_is_silent_is_not_judged(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    capture = passed(make_relay(loses=lambda number: True), a_session())
    assert measures.totals(capture) == []


def test_deltas_that_are_refused(passed: Runner, make_relay: Make, a_session: Session) -> None:
    refused = [replace(each, rejected="400 invalid temporality") for each in a_session()]
    capture = passed(make_relay(), refused, SeriesRun(outlets=(SCRAPE,)))
    seen = item(capture, TOKENS, type="output")
    assert (seen.view["cause"], seen.view["missing"]) == ("refused", 1)
    assert "were sent and refused, the scrape says nothing of it" in seen.where
    assert "400 invalid temporality" in seen.where
    assert measures.series_names(capture) == []


def test_a_metric_that_alone_is_missing_has_no_cause_that_is_known(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    # Of each request, the third point is the cost.
    costs = {3, 8, 12, 16, 20}
    capture = passed(make_relay(loses=lambda number: number in costs), a_session())
    seen = item(capture, "claude_code.cost.usage")
    assert (seen.view["missing"], seen.view["cause"]) == (1, "")
    assert seen.where.endswith("0.15 USD were sent, the scrape says nothing of it")


def interleaved(*sessions: list[Export]) -> list[Export]:
    return sorted(
        (each for session in sessions for each in session),
        key=lambda export: export.arrived_unix_nano,
    )


def test_several_sessions_in_one_series(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    requests = interleaved(a_session("s1"), a_session("s2"), a_session("s3"))
    relay = make_relay(replaces=True, without=frozenset({"session.id"}))
    seen = item(passed(relay, requests), TOKENS, type="input")
    assert seen.view["cause"] == "sessions in one series"
    assert "3 sessions write one series" in seen.where
    assert "OTEL_METRICS_INCLUDE_SESSION_ID=true" in seen.where


def test_an_attribute_that_few_points_have_is_not_taken_for_removed(
    passed: Runner, make_relay: Make, send: Sender
) -> None:
    requests = [
        send([(TOKENS, value, {"type": "input", **more}, start, start + 1)], at=start + 1)
        for value, start, more in (
            (10.0, 0, {}),
            (20.0, 3, {}),
            (30.0, 3, {"skill.name": "review"}),
        )
    ]
    items = measures.totals(passed(make_relay(replaces=True), requests))
    assert [(each.view["missing"], each.view["cause"]) for each in items] == [
        (pytest.approx(1 / 3), "deltas with gaps"),
        (0, ""),
    ]


def test_sessions_that_are_added_up_in_one_series_are_right(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    requests = interleaved(a_session("s1"), a_session("s2"))
    capture = passed(make_relay(without=frozenset({"session.id"})), requests)
    seen = item(capture, TOKENS, type="input")
    assert (seen.view["sent_total"], seen.view["missing"], seen.view["series"]) == (11200, 0, 1)


def test_processes_that_nothing_tells_apart(passed: Runner, make_relay: Make, send: Sender) -> None:
    requests = [
        send([(TOKENS, value, {"type": "input"}, start, start + 10)], temporality="cumulative")
        for start, value in ((0, 50.0), (2, 5.0))
    ]
    requests = [replace(each, arrived_unix_nano=n) for n, each in enumerate(requests, start=1)]
    [seen] = measures.totals(passed(make_relay(), requests))
    assert (seen.view["sent_total"], seen.view["seen_total"]) == (55, 5)
    assert seen.view["cause"] == "several writers in one series"


def test_a_stream_with_one_attribute_less_is_not_blamed_on_the_others(
    passed: Runner, make_relay: Make, send: Sender
) -> None:
    """Its series has no label that the others have not, but each has a series of its own."""
    plain, skilled = {"type": "input"}, {"type": "input", "skill.name": "review"}
    requests = [
        send([(TOKENS, 10.0, plain, 0, 1), (TOKENS, 7.0, skilled, 0, 1)], at=1),
        send([(TOKENS, 20.0, plain, 4, 5), (TOKENS, 7.0, skilled, 1, 5)], at=5),
    ]
    capture = passed(make_relay(replaces=True), requests)
    seen = item(capture, TOKENS).view
    assert (seen["sent_total"], seen["seen_total"]) == (30, 20)
    assert seen["cause"] == "deltas with gaps"
    assert item(capture, TOKENS, **{"skill.name": "review"}).view["missing"] == 0


def test_points_that_became_equal(passed: Runner, make_relay: Make, a_session: Session) -> None:
    relay = make_relay(replaces=True, without=frozenset({"type"}))
    capture = passed(relay, a_session())
    seen = item(capture, TOKENS)
    assert seen.view["cause"] == "attributes removed"
    assert "2 streams became one series when `type` was removed" in seen.where
    [label] = [v for v in views(measures.series_labels(capture)) if v["key"] == "type"]
    assert set(label["lacking"]) == {"claude_code.active_time.total", TOKENS}


def test_a_series_that_expired(passed: Runner, make_relay: Make, a_session: Session) -> None:
    first, *others = a_session()
    relay = make_relay()
    before = passed(relay, [first])
    relay.restart()
    empty = replace(relay.scrape(first.arrived_unix_nano + 5))
    after = passed(relay, others)
    exports = (*before.exports, empty, *after.exports)
    capture = replace(before, exports=exports)
    seen = item(capture, TOKENS, type="input")
    assert seen.view["cause"] == "series expired"
    assert (seen.view["sent_total"], seen.view["seen_total"]) == (5600, 5600 - 1046)
    assert "`metric_expiration`" in seen.where
    counters = {v["name"]: v for v in views(measures.series_counters(capture))}
    assert counters[TOKENS]["vanished"] == 2


def test_a_restart_that_is_known_is_no_loss(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    *first, fourth, fifth = a_session()
    relay = make_relay()
    before = passed(relay, first)
    relay.restart()
    restarted = Restarts((fourth.arrived_unix_nano - 5,))
    after = passed(relay, [fourth, fifth], restarted)
    capture = replace(after, exports=(*before.exports, *after.exports))
    assert max(abs(view["missing"]) for view in views(measures.totals(capture))) < 1e-9
    assert {view["resets"] for view in views(measures.totals(capture))} == {0}
    unknown = replace(capture, run=replace(capture.run, observed={}))
    seen = item(unknown, TOKENS, type="output")
    assert seen.view["missing"] > 0
    assert seen.view["cause"] == "counter fell"


def test_a_counter_that_was_gone_over_a_restart_began_anew(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    """It comes to more than before at once, so nothing falls."""
    first, second, third = a_session(inputs=(10, 5, 90))
    relay = make_relay()
    before = passed(relay, [first, second])
    relay.restart()
    down = third.arrived_unix_nano - 5
    gone = series.export(SCRAPE, [], "http://localhost:1/metrics", down + 1)
    after = passed(relay, [third], Restarts((down,)))
    capture = replace(after, exports=(*before.exports, gone, *after.exports))
    seen = item(capture, TOKENS, type="input").view
    assert (seen["sent_total"], seen["seen_total"], seen["resets"]) == (105, 105, 0)
    # Without that scrape, nobody could tell it from one that was kept over the restart.
    kept = replace(after, exports=(*before.exports, *after.exports))
    assert item(kept, TOKENS, type="input").view["seen_total"] == 90


def test_what_is_counted_twice(passed: Runner, make_relay: Make, a_session: Session) -> None:
    requests = a_session()
    once = passed(make_relay(), requests)
    twice = passed(make_relay(), [each for each in requests for _ in range(2)])
    shown = [export for export in twice.exports if export.collector == SCRAPE]
    sent = [export for export in once.exports if export.collector == "sent"]
    seen = item(replace(once, exports=(*sent, *shown)), TOKENS, type="input")
    assert (seen.view["cause"], seen.view["missing"]) == ("counted 2 times", -1)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("namespace", ["", "eco"])
def test_each_strategy_is_right_and_is_told(
    strategy: Strategy, namespace: str, passed: Runner, make_relay: Make, a_session: Session
) -> None:
    capture = passed(make_relay(strategy=strategy, namespace=namespace), a_session())
    assert {view["missing"] for view in views(measures.totals(capture))} == {0.0}
    for view in views(measures.series_names(capture)):
        assert (view["found"], view["namespace"]) == (1, namespace)
        assert view["strategy"] == strategy
        assert view["unit_suffix"]
        assert view["total_suffix"]
    assert all(view["lacking"] == [] for view in views(measures.series_labels(capture)))


def test_a_unit_that_was_lost_on_the_way(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    capture = passed(make_relay(units=False), a_session())
    names = {view["name"]: view for view in views(measures.series_names(capture))}
    assert names[TOKENS]["found_as"] == ["claude_code_token_usage_total"]
    assert not names[TOKENS]["unit_suffix"]
    # Without a unit, there is none to lose.
    assert names["claude_code.session.count"]["unit_suffix"]


def test_openmetrics_does_not_tell_whether_a_unit_was_lost(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    served = Scraped("", 1, "application/openmetrics-text; version=1.0.0", "# EOF\n")
    capture = passed(make_relay(units=False), a_session(), Scrapes((served,)))
    names = {view["name"]: view for view in views(measures.series_names(capture))}
    assert "unit_suffix" not in names[TOKENS]
    assert names[TOKENS]["total_suffix"]
    assert names["claude_code.session.count"]["unit_suffix"]


def test_deltas_that_come_out_as_deltas_are_no_series(
    exporter: Exporter, a_session: Session, passed: Runner, make_relay: Make
) -> None:
    sent = a_session()
    out = [replace(each, collector="grpc") for each in sent]
    capture = passed(make_relay(), sent, outlets=())
    assert measures.totals(replace(capture, exports=(*capture.exports, *out))) == []


def test_where_the_resource_is(passed: Runner, make_relay: Make, a_session: Session) -> None:
    capture = passed(make_relay(), a_session(), outlets=(WRITE,))
    found = {view["key"]: view["found_in"] for view in views(measures.series_targets(capture))}
    assert found == {"service.name": "job", "service.version": "target_info"}


def test_values_that_were_changed_are_told(
    passed: Runner, make_relay: Make, a_session: Session
) -> None:
    relay = make_relay()
    requests = a_session()
    capture = passed(relay, requests)
    for each in relay.counted.values():
        assert isinstance(each.labels, dict)
        each.labels["user_id"] = "0123abcd"
    hashed = [*requests, relay.scrape(requests[-1].arrived_unix_nano + 1)]
    capture = replace(capture, exports=tuple(hashed))
    [label] = [v for v in views(measures.series_labels(capture)) if v["key"] == "user.id"]
    assert label["lacking"] == []
    assert TOKENS in label["changed"]
    assert {view["missing"] for view in views(measures.totals(capture))} == {0.0}
