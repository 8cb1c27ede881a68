"""Which of somebody's queries depend on what changed, and which never could match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.assessment.query_files import read_queries
from harness.drift.comparison import Comparison
from harness.drift.difference import Difference, Impact
from harness.drift.impact import Query, hits
from harness.drift.promql import uses_of_promql
from harness.drift.uses import Dictionary, Uses, uses_of_text
from harness.errors import UsageError
from harness.report import drift

TOKENS, COST = "claude_code.token.usage", "claude_code.cost.usage"


def fact(*values: str, types: str = "string") -> dict[str, Any]:
    return {
        "types": [types],
        "presence": "always",
        **({"values": sorted(values)} if values else {}),
    }


def metric(unit: str, **attributes: Any) -> dict[str, Any]:
    return {"unit": [unit], "type": ["sum"], "monotonic": [True], "attributes": attributes}


INVENTORY: dict[str, Any] = {
    "metrics": {
        TOKENS: metric(
            "tokens",
            type=fact("input", "output", "cacheRead"),
            model=fact("opus"),
            **{"session.id": fact()},
        ),
        COST: metric("USD", model=fact("opus")),
    },
    "events": {
        "tool_result": {
            "attributes": {
                "tool_name": fact("Bash", "Task"),
                "use_id": fact(),
                "success": fact("true", "false"),
            }
        },
        "api_error": {"attributes": {"status_code": fact(types="int")}},
    },
    "spans": {"claude_code.llm_request": {"attributes": {"gen_ai.system": fact()}}},
    "resources": {"metrics": {"service.name": fact("claude-code")}},
}
NAMES = Dictionary([INVENTORY])


def frozen(**labels: set[str]) -> dict[str, frozenset[str]]:
    return {key.replace("__", "."): frozenset(values) for key, values in labels.items()}


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        (
            'sum by (type)(increase(claude_code_token_usage_tokens_total{model="opus"}[5m]))',
            Uses(frozenset({TOKENS}), labels=frozen(type=set(), model={"opus"})),
        ),
        (
            "rate(claude_code_cost_usage_USD_total[$__rate_interval])",
            Uses(frozenset({COST}), wide=frozenset({COST})),
        ),
        (
            "sum without (model)(claude_code_cost_usage_USD_total)",
            Uses(frozenset({COST}), labels=frozen(model=set()), wide=frozenset({COST})),
        ),
        (
            'sum({"claude_code.token.usage", type="$type"})',
            Uses(frozenset({TOKENS}), labels=frozen(type=set())),
        ),
        (
            "sum(claude_code_token_usage_total) / on(session_id) group_left(model) "
            "sum by (session_id)(claude_code_cost_usage)",
            Uses(frozenset({TOKENS, COST}), labels=frozen(session__id=set(), model=set())),
        ),
        (
            "sum(claude_code_tokens_total)",
            Uses(unknown=frozenset({"claude_code_tokens_total"})),
        ),
        (
            'sum(claude_code_token_usage_tokens_total{type!="input",type=~"cache.*"})',
            Uses(frozenset({TOKENS}), labels=frozen(type=set())),
        ),
        ("sum(up)", Uses()),
    ],
)
def test_what_promql_uses(text: str, uses: Uses) -> None:
    assert uses_of_promql(text, NAMES) == uses


@pytest.mark.parametrize(
    "text", ['{a="b"} |= "c"', "SELECT 1 FROM x", "sum by (", "claude_code.token.usage{*}"]
)
def test_what_is_no_promql(text: str) -> None:
    assert uses_of_promql(text, NAMES) is None


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        (
            '{service_name="claude-code"} | event_name="tool_result" | success="true"',
            Uses(
                events=frozenset({"tool_result"}),
                labels=frozen(service__name={"claude-code"}, success={"true"}),
            ),
        ),
        (
            "SELECT sum(Value) FROM t WHERE MetricName='claude_code.cost.usage' "
            "AND Attributes['model'] = 'opus'",
            Uses(frozenset({COST}), labels=frozen(model={"opus"})),
        ),
        (
            "SELECT count() FROM logs WHERE Body = 'claude_code.api_error' GROUP BY StatusCode",
            Uses(events=frozenset({"api_error"}), labels=frozen(status_code=set())),
        ),
        (
            "sum:claude_code.token.usage{*} by {session.id}.as_count()",
            Uses(frozenset({TOKENS}), labels=frozen(session__id=set())),
        ),
        (
            "| unwrap attributes_success | claude_code_api_request_seconds",
            Uses(
                labels=frozen(success=set()),
                unknown=frozenset({"claude_code_api_request_seconds"}),
            ),
        ),
        ("spans named claude_code.llm_request", Uses(spans=frozenset({"claude_code.llm_request"}))),
    ],
)
def test_what_any_text_uses(text: str, uses: Uses) -> None:
    assert uses_of_text(text, NAMES) == uses


def difference(subject: str, change: str, *of: str, old: str = "", new: str = "") -> Difference:
    return Difference(subject, change, old, new, Impact.BREAKING, "why", of)


CHANGES = {
    "metric gone": difference(f"metric {TOKENS}", "gone"),
    "new label": difference("attribute effort", "new", f"metric {COST}"),
    "type": difference("attribute status_code", "type", "event api_error"),
    "renamed": difference("attribute use_id", "renamed", "event tool_result"),
    "values": difference(
        "attribute tool_name", "values", "event tool_result", old="Task", new="Agent"
    ),
    "resource": difference("attribute service.name", "values", "resource of metrics", old="x"),
}


@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        ("sum(claude_code_token_usage_tokens_total)", ["metric gone"]),
        ("sum(claude_code_cost_usage_USD_total)", []),
        ("claude_code_cost_usage_USD_total > 5", ["new label"]),
        ('{} | event_name="api_error" | status_code="500"', ["type"]),
        ("count by status_code", ["type"]),
        ('event_name="tool_result" | status_code="500"', []),
        ('event_name="tool_result" | use_id != ""', ["renamed"]),
        ('event_name="tool_result" | tool_name="Task"', ["values"]),
        ('event_name="tool_result" | tool_name="Bash"', []),
        ('event_name="tool_result" | line_format .tool_name', ["values"]),
    ],
)
def test_which_differences_concern_a_query(text: str, concerned: list[str]) -> None:
    found = hits([Query("f", "q", text)], list(CHANGES.values()), INVENTORY, INVENTORY)
    seen = [each for hit in found for each in hit.differences]
    assert seen == [CHANGES[name] for name in concerned]


def test_what_is_informational_concerns_nobody() -> None:
    told = Difference(f"metric {COST}", "description", "a", "b", Impact.INFORMATIONAL, "why")
    query = Query("f", "q", "sum(claude_code_cost_usage_USD_total)")
    assert hits([query], [told], INVENTORY, INVENTORY) == []


@pytest.mark.parametrize(
    ("text", "never"),
    [
        (
            'sum(claude_code_token_usage_tokens_total{type="cache_read"})',
            ["type is never 'cache_read', but cacheRead, input, output"],
        ),
        (
            "sum by (type)(claude_code_cost_usage_USD_total)",
            [f"type is on none of metric {COST}"],
        ),
        ("claude_code_cost_total > 1", ["claude_code_cost_total is sent by neither release"]),
        ('claude_code_cost_usage_USD_total{service_name="claude-code"}', []),
        ('sum(claude_code_token_usage_tokens_total{type="input"})', []),
    ],
)
def test_what_never_matches(text: str, never: list[str]) -> None:
    found = hits([Query("f", "q", text)], [], INVENTORY, INVENTORY)
    assert [why for hit in found for why in hit.never] == never


DASHBOARD = """{"title": "D", "panels": [
  {"title": "Tokens", "targets": [{"expr": "sum(a)"}, {"rawSql": "SELECT 1"}]},
  {"title": "Row", "panels": [{"title": "Cost", "targets": [{"expr": "sum(b)"}]}]},
  {"title": "Empty", "targets": [{"expr": ""}]}]}"""

RULES = """
groups:
  - name: claude
    rules:
      - alert: Expensive
        expr: sum(a) > 1
      - record: a:sum
        expr: sum(a)
"""


@pytest.mark.parametrize(
    ("name", "text", "queries"),
    [
        (
            "d.json",
            DASHBOARD,
            [("Tokens", "sum(a)"), ("Tokens", "SELECT 1"), ("Cost", "sum(b)")],
        ),
        ("r.yaml", RULES, [("Expensive", "sum(a) > 1"), ("a:sum", "sum(a)")]),
        (
            "q.sql",
            "SELECT 1;\nSELECT\n 2;\n",
            [("statement 1", "SELECT 1"), ("statement 2", "SELECT\n 2")],
        ),
        (
            "q.txt",
            "# mine\nsum(a)\n\n-- no\nsum(b)\n",
            [("line 2", "sum(a)"), ("line 5", "sum(b)")],
        ),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, queries: list[tuple[str, str]]) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = read_queries(path)
    assert [(each.name, each.text) for each in found] == queries
    assert {each.file for each in found} == {str(path)}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("none.json", None, "No such file"),
        ("bad.json", "{", "Expecting property name"),
        ("bad.yaml", "a: [", "while parsing"),
        ("empty.json", "{}", "no query in it"),
        ("latin.txt", b"\xe9", "utf-8"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, text: str | bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=problem) as raised:
        read_queries(path)
    assert raised.value.change == f"--queries {path}"


def test_queries_are_shown() -> None:
    query = Query("d.json", "Tokens", 'sum(claude_code_token_usage_tokens_total{type="x"})')
    found = hits([query], [CHANGES["metric gone"]], INVENTORY, INVENTORY)
    lines = drift.terminal(Comparison("a", "b", hits=tuple(found))).splitlines()
    assert lines[2:] == [
        "queries: 1 depend on what changed, 1 never could match",
        "",
        "d.json · Tokens",
        '  sum(claude_code_token_usage_tokens_total{type="x"})',
        f"  breaking      metric {TOKENS}: gone",
        "  never matches type is never 'x', but cacheRead, input, output",
    ]
