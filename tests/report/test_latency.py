"""Latencies are counted to a percent, and shown with a chart."""

from __future__ import annotations

import random

from harness.record.latency import Bar, Distribution, Latency
from harness.report.latency import render, shown


def counted(*seconds: float) -> Distribution:
    made = Distribution()
    for each in seconds:
        made.add(each)
    return made


def test_percentiles_are_those_of_the_values() -> None:
    drawn = random.Random(1)
    values = [drawn.lognormvariate(-4, 1.5) for _ in range(5000)]
    made = counted(*values)
    exact = sorted(values)
    for percent in (1, 50, 90, 99):
        value = exact[len(values) * percent // 100 - 1]
        assert value <= made.percentile(percent) <= value * 1.012
    assert made.percentile(100) == made.longest_s == max(values)
    assert len(made) == 5000


def test_parts_are_as_good_as_the_whole() -> None:
    whole, part = counted(0.1, 0.2, 3.0), counted(3.0)
    part.join(counted(0.1, 0.2))
    assert part == whole


def test_of_nothing_there_is_no_percentile() -> None:
    assert counted().percentile(50) == 0
    assert counted().histogram() == ()


def test_a_time_that_is_none_is_counted() -> None:
    """A clock that was set back must not lose an item."""
    assert len(counted(0.0, -1.0)) == 2
    assert counted(-1.0).percentile(50) <= 1e-6


def test_each_value_is_in_its_bar() -> None:
    for value in (1e-6, 0.00099, 0.001, 0.00126, 0.5, 1.0, 9.99, 1234.5):
        (bar,) = counted(value).histogram()
        assert bar.items == 1
        assert bar.up_to_ms * 0.79 < value * 1000 < bar.up_to_ms * 1.0001


def test_a_table_with_charts_on_one_scale() -> None:
    fast = Latency.of("passing -> grpc", "logs", counted(*[0.001] * 8, *[0.0013] * 2))
    slow = Latency.of("passing -> grpc", "metrics", counted(*[0.001] * 3, *[0.01] * 30))
    title, head, *rows = [line.text for line in render([fast, slow])]
    assert title == "latency from sending to coming out (ms)"
    assert " ".join(head.split()) == "number p50 p90 p99 max up to 1.3 ms … 13 ms"
    assert rows == [
        "  passing -> grpc logs          10       1.0       1.3       1.3       1.3  █▂",
        "  passing -> grpc metrics       33      10.0      10.0      10.0      10.0  ▁         █",
    ]


def test_a_wide_range_shares_columns() -> None:
    rows = list(render([Latency.of("a -> b", "logs", counted(0.0001, 0.01, 1.0, 100.0, 10_000.0))]))
    chart = rows[-1].text.rpartition("  ")[2]
    assert len(rows[-1].text) < 110
    assert rows[-1].text.count("█") == 5, chart


def test_nothing_is_shown_of_nothing() -> None:
    assert list(render([])) == []


def test_times_are_written_as_people_do() -> None:
    assert [shown(each) for each in (0.123, 1.25, 12.6, 999.0, 1300.0)] == [
        *("0.12 ms", "1.2 ms", "13 ms", "999 ms", "1.3 s"),
    ]
    assert Bar(1000.0, 1).number == 30
