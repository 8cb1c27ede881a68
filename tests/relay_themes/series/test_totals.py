"""Sums are the same however deltas are batched, and each delta that is lost is found."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.capture.export import Export
from harness.exposition import SCRAPE, WRITE, series
from harness.relay_themes.series.totals import (
    equal,
    reached,
    scraped,
    sent_on,
    series_of,
    text,
    truths,
    written,
)

if TYPE_CHECKING:
    from tests.conftest import Exporter
    from tests.relay_themes.series.conftest import Delta, Relay, Runner, Sender

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
TOKENS = "claude_code.token.usage"
TYPES = ("input", "output")
SERVED = "tokens_total"


@st.composite
def sessions(draw: st.DrawFn) -> list[Any]:
    """Deltas of some sessions, each stream with windows in order, some with gaps between."""
    deltas = []
    for session in range(draw(st.integers(1, 3))):
        for kind in draw(st.sets(st.sampled_from(TYPES), min_size=1)):
            at = draw(st.integers(0, 5))
            for _ in range(draw(st.integers(1, 6))):
                start = at + draw(st.sampled_from([0, 0, 3]))
                at = start + draw(st.integers(1, 4))
                value = draw(st.integers(1, 10_000))
                attributes = {"session.id": f"s{session}", "type": kind}
                deltas.append((TOKENS, float(value), attributes, start, at))
    deltas.sort(key=lambda delta: delta[4])
    return deltas


def batches(deltas: Sequence[Delta], ends: Sequence[int]) -> list[Sequence[Delta]]:
    bounds = [0, *sorted({end % len(deltas) for end in ends} - {0}), len(deltas)]
    return [deltas[a:b] for a, b in pairwise(bounds)]


def sums(deltas: Sequence[Delta]) -> Mapping[str, float]:
    return {
        kind: sum(value for _, value, attributes, *_ in deltas if attributes["type"] == kind)
        for kind in TYPES
    }


@RELAXED
@given(deltas=sessions(), ends=st.lists(st.integers(0, 1000)))
def test_any_batching_gives_the_same_totals(
    send: Sender,
    passed: Runner,
    make_relay: Callable[..., Relay],
    deltas: list[Delta],
    ends: list[int],
) -> None:
    requests = [send(batch, at=at) for at, batch in enumerate(batches(deltas, ends), start=20)]
    truth = truths(requests)[TOKENS]
    for outlet in (SCRAPE, WRITE, "grpc"):
        capture = passed(make_relay(), requests, outlets=[outlet])
        seen = series_of(outlet, capture.exports)
        for kind, total in sums(deltas).items():
            streams = [s for s in truth.streams if s.attributes["type"] == kind]
            assert sum(stream.total for stream in streams) == total
            shown = [each for each in seen if each.labels.get("type") == kind]
            assert sum(each.total for each in shown) == total
            assert [each.resets for each in shown] == [0] * len(shown)
        assert reached(capture.exports, outlet)


@RELAXED
@given(deltas=sessions(), order=st.randoms())
def test_the_order_of_requests_is_all_the_same_to_the_truth(
    send: Sender, deltas: list[Delta], order: Any
) -> None:
    requests = [send([delta]) for delta in deltas]
    before = {s.attributes["session.id"] + s.attributes["type"]: s for s in truth_of(requests)}
    order.shuffle(requests)
    after = {s.attributes["session.id"] + s.attributes["type"]: s for s in truth_of(requests)}
    assert after == before


def truth_of(requests: Sequence[Export]) -> Any:
    return truths(requests)[TOKENS].streams


@RELAXED
@given(deltas=sessions(), data=st.data())
def test_dropping_any_one_delta_is_found(
    send: Sender,
    passed: Runner,
    make_relay: Callable[..., Relay],
    deltas: list[Delta],
    data: st.DataObject,
) -> None:
    lost = data.draw(st.integers(1, len(deltas)))
    requests = [send([delta], at=at) for at, delta in enumerate(deltas)]
    relay = make_relay(loses=lambda number: number == lost)
    capture = passed(relay, requests, outlets=[SCRAPE, WRITE, "grpc"])
    for outlet in (SCRAPE, WRITE, "grpc"):
        assert not reached(capture.exports, outlet)


def shown(*values: float | None, collector: str = SCRAPE) -> list[Export]:
    """One export for each value, a second apart; None is one without the series."""
    return [
        series.export(
            collector,
            [] if value is None else [series.Sample(SERVED, {"a": "b"}, value, "counter")],
            "",
            second * 10**9,
        )
        for second, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize("read", [scraped, written])
def test_a_fall_is_a_reset_and_no_gain(read: Any) -> None:
    # What the `prometheus` exporter showed of 5600 tokens.
    [each] = read(shown(1046, 2129, 1120, 1157, 2351))
    assert (each.total, each.last, each.resets) == (2351, 2351, 1)
    assert each.increase == 1046 + 1083 + 1120 + 37 + 1194


@pytest.mark.parametrize("read", [scraped, written])
def test_a_fall_at_a_restart_begins_anew(read: Any) -> None:
    [each] = read(shown(5, 8, 2, 4), [2_500_000_000])
    assert (each.total, each.increase, each.resets) == (12, 12, 0)
    [at_another_time] = read(shown(5, 8, 2, 4), [500_000_000, 3_500_000_000])
    assert (at_another_time.total, at_another_time.resets) == (4, 1)


def test_a_restart_that_kept_its_state_is_no_reset() -> None:
    [each] = scraped(shown(5, 8, 8, 9), [2_500_000_000])
    assert (each.total, each.resets) == (9, 0)


def test_a_restart_that_shows_no_fall_is_told_by_another_start() -> None:
    def begun(*starts: int) -> list[Export]:
        sample = series.Sample(SERVED, {}, 5.0, "counter")
        return [
            series.export(SCRAPE, [replace(sample, start_unix_nano=start)], "", second)
            for second, start in enumerate(starts, start=1)
        ]

    assert [each.total for each in scraped(begun(1, 9), [2])] == [10]
    # Without a start, or without a restart, it is what increase() takes it for.
    assert [each.total for each in scraped(begun(0, 0), [2])] == [5]
    assert [each.total for each in scraped(begun(1, 9))] == [5]


def test_a_series_that_vanishes_and_comes_back() -> None:
    [each] = scraped(shown(5, None, None, 2))
    assert (each.total, each.vanished, each.resets, each.present) == (2, 1, 1, True)
    [gone] = scraped(shown(5, None))
    assert (gone.total, gone.vanished, gone.present) == (5, 1, False)
    [restarted] = scraped(shown(5, None, 2), [1_500_000_000])
    assert (restarted.total, restarted.vanished, restarted.resets) == (7, 0, 0)


def test_a_stale_marker_ends_a_series() -> None:
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    marker = series.export(WRITE, [series.Sample(SERVED, {"a": "b"}, stale)], "", 3 * 10**9)
    [each] = written([*shown(1, 2, collector=WRITE), marker])
    assert (each.total, each.vanished, each.present) == (2, 1, False)


def test_of_two_values_for_one_time_the_first_counts() -> None:
    samples = [series.Sample(SERVED, {}, value, "counter", 5 * 10**9) for value in (7.0, 3.0)]
    [each] = written([series.export(WRITE, samples, "", 1)])
    assert (each.total, each.repeated) == (7, 1)
    [same] = written([series.export(WRITE, [samples[0], samples[0]], "", 1)])
    assert same.repeated == 0
    [twice] = scraped([series.export(SCRAPE, samples, "", 1)])
    assert twice.repeated == 1


def points(exporter: Exporter, *values: tuple[int, int, float]) -> list[Export]:
    return [
        exporter(
            points=[("t", value, {}, {"temporality": "cumulative", "start": start, "time": time})],
            collector="grpc",
        )
        for start, time, value in values
    ]


def test_each_start_of_a_cumulative_stream_begins_anew(exporter: Exporter) -> None:
    [each] = sent_on(points(exporter, (1, 2, 5.0), (1, 3, 8.0), (4, 5, 2.0)))
    assert (each.total, each.resets) == (10, 0)


def test_starts_that_alternate_are_two_writers(exporter: Exporter) -> None:
    [each] = sent_on(points(exporter, (1, 3, 5.0), (2, 4, 1.0), (1, 5, 6.0), (2, 6, 2.0)))
    assert each.total == 8
    assert each.resets > 0


def test_what_was_sent_cumulative_is_told_by_its_increases(send: Sender) -> None:
    sent = [
        send([("t", value, {}, 0, at)], temporality="cumulative")
        for at, value in ((1, 5.0), (2, 5.0), (3, 9.0))
    ]
    sent.append(send([("t", 4.0, {}, 3.5, 4)], temporality="cumulative"))
    [stream] = truths(sent)["t"].streams
    assert stream.total == 13
    assert [value for *_, value in stream.deltas] == [5, 0, 4, 4]


def test_only_what_was_accepted_counts(send: Sender) -> None:
    delta: Delta = ("t", 5.0, {}, 0, 1)
    refused = send([delta], rejected="429 Too Many Requests")
    truth = truths([refused, send([delta])])["t"]
    assert (truth.streams[0].total, truth.refused) == (5, "")


def test_what_was_never_accepted_is_told_once_with_the_reason(send: Sender) -> None:
    refused = send([("t", 5.0, {}, 0, 1)], rejected="400 invalid temporality")
    truth = truths([refused, refused])["t"]
    assert (truth.streams[0].total, truth.refused) == (5, "400 invalid temporality")


def test_what_was_refused_is_not_waited_for(
    send: Sender, passed: Runner, make_relay: Callable[..., Relay]
) -> None:
    refused = send([("r", 1.0, {}, 0, 1)], rejected="400")
    capture = passed(make_relay(), [refused, send([("t", 5.0, {}, 0, 1)])])
    assert reached(capture.exports, SCRAPE)


def test_what_came_out_is_not_what_was_sent(send: Sender) -> None:
    assert truths([send([("t", 5.0, {}, 0, 1)], collector="grpc")]) == {}


@pytest.mark.parametrize(
    ("value", "label"),
    [("a", "a"), (True, "true"), (3, "3"), (1.0, "1"), (0.25, "0.25"), (None, ""), ((), "[]")],
)
def test_values_as_labels_have_them(value: Any, label: str) -> None:
    assert text(value) == label


def test_sums_of_floats_need_not_be_equal_to_the_last_bit() -> None:
    assert equal(0.1 + 0.2, 0.3)
    assert not equal(1000.0, 999.0)
