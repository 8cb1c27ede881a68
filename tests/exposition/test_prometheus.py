"""What is served to be scraped, as an export, and what is wrong with it."""

from __future__ import annotations

import pytest

from harness.exposition import is_exposed
from harness.exposition.prometheus import export, openmetrics_lines, problems

NAMES = (
    "claude_code.session.count",
    "claude_code.active_time.total",
    "session.id",
    "service.name",
    "type",
)
TEXT = r"""# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="claude-code",team_id="it's \"q\"\n"} 1
# HELP claude_code_session_count_total Count of CLI sessions started
# TYPE claude_code_session_count_total counter
claude_code_session_count_total{session_id="abc",otel_scope_name="s",otel_scope_version="1"} 1
# HELP claude_code_active_time_total Total active time
# TYPE claude_code_active_time_total counter
claude_code_active_time_total{session_id="abc",type="cli"} 0.5
claude_code_active_time_total{session_id="abc",type="user"} 1e-07
"""


def test_names_come_back_as_opentelemetry_has_them() -> None:
    served = export(TEXT, NAMES, "http://localhost:9464/metrics", 7)
    assert served.rejected == ""
    assert is_exposed(served)
    first, *others = served.data_points
    assert first.metric.name == "claude_code.session.count"
    assert first.metric.description == "Count of CLI sessions started"
    assert (first.metric.type, first.metric.monotonic) == ("sum", True)
    assert first.metric.temporality == "cumulative"
    assert dict(first.attributes) == {"session.id": "abc"}
    assert (first.scope.name, first.scope.version) == ("s", "1")
    assert [each.metric.name for each in others] == ["claude_code.active_time.total"] * 2
    assert [each.value for each in others] == [0.5, 1e-7]
    assert others[0].scope.name == ""


def test_unknown_names_stay_as_they_were_served() -> None:
    served = export(TEXT, NAMES, "", 7)
    assert dict(served.data_points[0].resource.attributes) == {
        "service.name": "claude-code",
        "team_id": 'it\'s "q"\n',
    }


@pytest.mark.parametrize(
    "text",
    [
        "no number at all {\n",
        'a{b="c} 1\n',
        "a 1 2 3 4 x\n",
        "a one\n",
        '# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
    ],
)
def test_what_cannot_be_read_is_kept_with_the_reason(text: str) -> None:
    served = export(text, NAMES, "", 7)
    assert served.rejected
    assert served.data_points == ()


def test_a_good_text_has_no_problem() -> None:
    assert problems(TEXT) == []
    assert problems("") == []
    assert openmetrics_lines(TEXT) == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('claude_code_active_time_total{type="cli",session_id="abc"} 1\n', "is there twice"),
        ("claude_code_session_count_total 2\n", "not in one piece"),
        ("loose 1\n", "loose has no TYPE"),
        ("# TYPE claude_code_active_time_total counter\n", "a second TYPE"),
        ("# TYPE claude_code_active_time_total counter\n", "after its samples"),
        ("# HELP new A\n# HELP new B\n# TYPE new gauge\nnew 1\n", "a second HELP"),
        ("# TYPE new thing\nnew 1\n", "unknown type thing"),
        ("# TYPE new_total counter\nnew_total -1\n", "the counter new_total is -1"),
        ("# TYPE new gauge\nnew 1", "the last line does not end"),
        ("new{ 1\n", "not Prometheus’ text format"),
    ],
)
def test_problems_are_told(more: str, problem: str) -> None:
    assert any(problem in each for each in problems(TEXT + more))


def test_lines_of_openmetrics_are_told_apart() -> None:
    text = TEXT.replace(
        "# TYPE claude_code_active",
        "# UNIT claude_code_active_time_total s\n# TYPE claude_code_active",
    )
    assert problems(text) == []
    assert openmetrics_lines(text) == ["# UNIT claude_code_active_time_total s"]


def test_histograms_and_comments_are_no_problem() -> None:
    text = '# a comment\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n\n'
    assert problems(text) == []
