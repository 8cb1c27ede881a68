"""Names as Prometheus' own library translates them, and finding them again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exposition.translation import (
    Strategy,
    candidates,
    find,
    label_name,
    labels_of,
    metric_name,
    unit_suffixes,
)
from harness.otlp.model import Metric

#: Written by translated.go.
ROWS = [
    json.loads(line)
    for line in Path(__file__)
    .with_name("translated.golden.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
STRATEGIES = st.sampled_from(Strategy)


def a_sum(name: str, unit: str = "") -> Metric:
    return Metric(name, "", unit, "sum", "delta", True)


COST = a_sum("claude_code.cost.usage", "USD")


def test_metrics_are_named_as_the_library_names_them() -> None:
    wrong = []
    for name, unit, kind, strategy, namespace, expected in (row for row in ROWS if len(row) == 6):
        try:
            found = metric_name(name, unit, kind, Strategy(strategy), namespace)
        except ValueError:
            found = ""
        if found != expected:
            wrong.append((name, unit, kind, strategy, namespace, expected, found))
    assert wrong == []
    assert {row[3] for row in ROWS if len(row) == 6} == {each.value for each in Strategy}


def test_labels_are_named_as_the_library_names_them() -> None:
    wrong = []
    for key, utf8, prefix, keep, expected in (row for row in ROWS if len(row) == 5):
        strategy = Strategy.UTF8 if utf8 else Strategy.UNDERSCORES
        try:
            found = label_name(key, strategy, key_prefix=prefix, keep_underscores=keep)
        except ValueError:
            found = ""
        if found != expected:
            wrong.append((key, utf8, prefix, keep, expected, found))
        if expected:
            assert expected in labels_of(key)
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("claude_code.cost.usage", "USD", "claude_code_cost_usage_USD_total"),
        ("claude_code.token.usage", "tokens", "claude_code_token_usage_tokens_total"),
        ("claude_code.active_time.total", "s", "claude_code_active_time_seconds_total"),
        ("claude_code.session.count", "", "claude_code_session_count_total"),
    ],
)
def test_the_names_that_dashboards_query(name: str, unit: str, expected: str) -> None:
    assert metric_name(name, unit) == expected
    assert candidates(a_sum(name, unit))[0].text == expected


@pytest.mark.parametrize(
    ("served", "strategy", "namespace", "unit", "total"),
    [
        ("claude_code_cost_usage_USD_total", "UnderscoreEscapingWithSuffixes", "", True, True),
        ("claude_code_cost_usage", "UnderscoreEscapingWithoutSuffixes", "", True, True),
        ("claude_code.cost.usage_USD_total", "NoUTF8EscapingWithSuffixes", "", True, True),
        ("claude_code.cost.usage", "NoTranslation", "", True, True),
        ("claude_code_cost_usage_total", "UnderscoreEscapingWithSuffixes", "", False, True),
        ("claude_code_cost_usage_USD", "UnderscoreEscapingWithSuffixes", "", True, False),
        (
            "claude_code_claude_code_cost_usage_USD_total",
            "UnderscoreEscapingWithSuffixes",
            "claude_code",
            True,
            True,
        ),
        (
            "eco_system_claude_code_cost_usage",
            "UnderscoreEscapingWithoutSuffixes",
            "eco_system",
            True,
            True,
        ),
    ],
)
def test_a_metric_is_found_under_each_name(
    served: str, strategy: str, namespace: str, unit: bool, total: bool
) -> None:
    [name] = find(COST, {served, "up", "claude_code_token_usage_tokens_total"})
    assert (name.text, name.strategy, name.namespace) == (served, strategy, namespace)
    assert (name.unit, name.total) == (unit, total)


@pytest.mark.parametrize(
    "served",
    [
        "claude_code_cost_total",
        "xclaude_code_cost_usage_USD_total",
        "_claude_code_cost_usage",
        "up",
    ],
)
def test_other_names_are_none_of_it(served: str) -> None:
    assert find(COST, {served}) == ()


def test_a_right_name_comes_before_one_that_lacks_something() -> None:
    served = {"claude_code_cost_usage_total", "claude_code_cost_usage_USD_total"}
    assert [name.text for name in find(COST, served)] == [
        "claude_code_cost_usage_USD_total",
        "claude_code_cost_usage_total",
    ]


@given(
    name=st.from_regex(r"[a-z][a-z0-9_.]{0,20}[a-z]", fullmatch=True),
    unit=st.sampled_from(["", "USD", "s", "tokens", "By/s", "{packet}", "1"]),
    strategy=STRATEGIES,
    namespace=st.sampled_from(["", "eco_system", "a"]),
)
def test_whatever_is_translated_is_found(
    name: str, unit: str, strategy: Strategy, namespace: str
) -> None:
    metric = a_sum(name, unit)
    served = metric_name(name, unit, "counter", strategy, namespace)
    found = find(metric, {served})
    assert [each.text for each in found] == [served]


@given(name=st.text(max_size=20), unit=st.text(max_size=8), namespace=st.sampled_from(["", "x.y"]))
def test_escaped_names_are_valid(name: str, unit: str, namespace: str) -> None:
    try:
        translated = metric_name(name, unit, "counter", Strategy.UNDERSCORES_SUFFIXES)
    except ValueError:
        return
    assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", translated)
    assert translated.endswith("total")


@given(key=st.text(max_size=20))
def test_escaped_labels_are_valid(key: str) -> None:
    try:
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label_name(key))
    except ValueError:
        assert not re.search("[A-Za-z0-9]", key)


def test_what_a_unit_adds() -> None:
    assert unit_suffixes("By/s") == ("bytes", "per_second")
    assert unit_suffixes("{packet}") == ("", "")
    assert unit_suffixes("USD") == ("USD", "")
