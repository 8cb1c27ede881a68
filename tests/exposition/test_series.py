"""What a collector serves, under the names under which it serves it."""

from __future__ import annotations

import pytest

from harness.exposition import ExpositionError, is_exposed
from harness.exposition.prometheus import problems, samples
from harness.exposition.series import Sample, export, is_stale

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_a_counter_without_a_suffix_is_given_none() -> None:
    text = "# TYPE claude_code_cost_usage counter\nclaude_code_cost_usage 3 1700000000123\n"
    [sample] = samples(text)
    assert (sample.name, sample.value, sample.kind) == ("claude_code_cost_usage", 3.0, "counter")
    assert sample.time_unix_nano == 1700000000123 * 10**6
    assert problems(text) == []


def test_names_beyond_ascii_are_read() -> None:
    text = (
        '# HELP "claude_code.cost.usage_USD_total" Cost\n'
        '# TYPE "claude_code.cost.usage_USD_total" counter\n'
        '{"claude_code.cost.usage_USD_total","session.id"="a",type="input"} 5\n'
    )
    [sample] = samples(text)
    assert sample.name == "claude_code.cost.usage_USD_total"
    assert dict(sample.labels) == {"session.id": "a", "type": "input"}
    assert problems(text) == []


def test_openmetrics_tells_unit_and_start() -> None:
    text = (
        "# TYPE t_tokens counter\n# UNIT t_tokens tokens\n"
        't_tokens_total{a="b"} 5\nt_tokens_created{a="b"} 1395066362.5\n# EOF\n'
    )
    [sample] = samples(text, OPENMETRICS)
    assert (sample.name, sample.unit, sample.counts) == ("t_tokens_total", "tokens", True)
    assert sample.start_unix_nano == 1395066362500000000
    assert problems(text, OPENMETRICS) == []


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("a{b} 1\n", ""),
        ("a one\n", ""),
        ("# TYPE a gauge\na 1\n", OPENMETRICS),
        ("{}", OPENMETRICS),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, content_type: str) -> None:
    with pytest.raises(ExpositionError):
        samples(text, content_type)
    assert problems(text, content_type)


def test_samples_of_one_metric_are_one_metric() -> None:
    made = export(
        "scrape",
        [
            Sample("x_total", {"a": "1", "otel_scope_name": "s"}, 1.0),
            Sample("x_total", {"a": "2", "otel_scope_name": "s"}, float("inf")),
            Sample("y", {}, float("nan"), time_unix_nano=3),
        ],
        "http://localhost:1/metrics",
        7,
    )
    assert is_exposed(made)
    first, second, third = made.data_points
    assert first.metric == second.metric
    assert (first.metric.type, third.metric.type) == ("sum", "gauge")
    assert (first.scope.name, first.time_unix_nano, third.time_unix_nano) == ("s", 7, 3)
    assert second.value == float("inf")
    assert not is_stale(float("nan"))
