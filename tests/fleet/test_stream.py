"""The stream itself: one bad item among many, memory, orders of arrival, and odd values."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest

from harness.assessment.job import CLAUDE
from harness.findings import Finding
from harness.fleet import sessions, stream
from harness.fleet.files import Message
from harness.fleet.release import KEPT
from harness.fleet.rules import Fleet
from harness.fleet.sessions import Sessions
from harness.fleet.stream import Stream
from harness.judging.expectations import NO_EXPECTATIONS
from harness.judging.verdicts import Row
from tests.fleet.lines import Recorded, as_messages, lines_of

RELEASE = "2.1.332"


def judged(messages: Iterator[Message] | Sequence[Message]) -> Stream:
    made = Stream(CLAUDE.contract, Fleet({}))
    made.feed(messages)
    made.end()
    return made


def row(made: Stream, name: str) -> Row:
    return next(
        row for row in made.releases[RELEASE].rows(NO_EXPECTATIONS) if row.requirement == name
    )


def many_points(lines: int, bad: int = -1, sessions: int = 1) -> Iterator[Message]:
    """Yield messages of 1000 points of so many sessions; one point has a type that is none."""
    head = (
        '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":'
        '{"stringValue":"claude-code"}},{"key":"service.version","value":{"stringValue":"2.1.332"'
        '}}]},"scopeMetrics":[{"scope":{"name":"com.anthropic.claude_code","version":"2.1.332"},'
        '"metrics":[{"name":"claude_code.lines_of_code.count","description":"Count of lines of code'
        ' modified","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":['
    )
    for line in range(lines):
        points = ",".join(
            '{"attributes":[{"key":"session.id","value":{"stringValue":"'
            f'{line:08d}-0000-4000-8000-{n % sessions:012d}"}}}},{{"key":"type","value":'
            f'{{"stringValue":"{"changed" if line * 1000 + n == bad else "added"}"}}}}],'
            f'"startTimeUnixNano":"{n + 1}","timeUnixNano":"{n + 2}","asDouble":1}}'
            for n in range(1000)
        )
        body = f"{head}{points}]}}}}]}}]}}]}}"
        yield Message("otel.json", line + 1, line * 100_000, body.encode())


def test_one_bad_item_among_200_000_is_found() -> None:
    made = judged(many_points(200, 123_456))
    found = row(made, "metrics.lines_of_code_count.type.value")
    assert found.looked_at == 200_000
    (finding,) = found.findings
    assert finding.where == (
        "otel.json line 124 (byte 12300000) · claude_code.lines_of_code.count · attributes.type"
    )
    assert "changed" in finding.seen


def test_memory_does_not_grow_with_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many sessions as are remembered, a capture may go on for ever."""
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 500)
    monkeypatch.setattr(sessions, "MOST_STREAMS", 500)
    made = Stream(CLAUDE.contract, Fleet({}))
    made.feed(many_points(3, sessions=1000))
    tracemalloc.start()
    try:
        made.feed(many_points(3, sessions=1000))
        before, _ = tracemalloc.get_traced_memory()
        made.feed(many_points(6, sessions=1000))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.releases[RELEASE].sessions.forgotten > 2_000
    assert after - before < 200_000


def test_many_findings_are_counted_and_few_are_kept(recorded: Recorded) -> None:
    lied = [
        line.replace(b'"unit":"USD"', b'"unit":"EUR"')
        for line in lines_of(recorded(RELEASE, "frequent")) * 10
    ]
    made = judged(as_messages(lied))
    name = "metrics.cost_usage.unit"
    assert len(row(made, name).findings) == KEPT
    assert made.releases[RELEASE].number_broken(name) == row(made, name).looked_at > KEPT


def test_owners_and_shapes_that_are_many_are_forgotten(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = judged(as_messages(lines_of(recorded(RELEASE, "working_day"))))
    monkeypatch.setattr(stream, "_MOST_OWNERS", 1)
    monkeypatch.setattr("harness.fleet.release._MOST_PLANS", 1)
    again = judged(as_messages(lines_of(recorded(RELEASE, "working_day"))))
    rows = [
        [
            (row.requirement, row.verdict, row.looked_at)
            for row in made.releases[RELEASE].rows(NO_EXPECTATIONS)
        ]
        for made in (whole, again)
    ]
    assert rows[0] == rows[1]


def test_a_number_that_is_none_breaks_its_message(recorded: Recorded) -> None:
    lines = lines_of(recorded(RELEASE, "working_day"))
    lied = [re.sub(rb'"intValue":"\d+"', b'"intValue":"many"', line, count=1) for line in lines]
    changed = sum(one != other for one, other in zip(lines, lied, strict=True))
    made = judged(as_messages(lied))
    assert made.number_broken == changed > 0


def found(numbers: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """Return what is found of one session's events: numbers, and their times."""
    noted: list[tuple[str, Finding]] = []
    made = Sessions(lambda what, finding: noted.append((what[0], finding())))
    place = (Message("otel.json", 1, 0, b"{"), "an_event")
    for number, time in numbers:
        session = made.heard("events", "a", None, place)
        made.number(session, number, time, place)
    made.end()
    return [(check, finding.seen) for check, finding in noted]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([(0, 1), (1, 2), (2, 2), (3, 5)], []),
        ([(3, 4), (0, 1), (2, 3), (1, 2)], []),
        ([(7, 1), (8, 2)], []),
        ([(0, 1), (1, 2), (3, 4)], [("without_gaps", "no 2")]),
        ([(0, 1), (5, 4), (1, 2)], [("without_gaps", "no 2 to 4")]),
        ([(0, 1), (1, 2), (1, 2)], [("increasing", "1 twice")]),
        ([(0, 1), (3, 3), (3, 3), (1, 2), (2, 2)], [("increasing", "3 twice")]),
        ([(0, 5), (1, 2)], [("increasing", "1 is earlier than 0")]),
        ([(2, 5), (1, 9), (0, 1)], [("increasing", "2 is earlier than 1")]),
        ([(0, 5), (2, 1)], [("increasing", "2 is earlier than 0"), ("without_gaps", "no 1")]),
        # A session that was resumed counts from the start again.
        ([(0, 1), (1, 2), (0, 9), (1, 10)], []),
    ],
)
def test_numbers_of_a_session_in_any_order(
    numbers: Sequence[tuple[int, int]], told: list[tuple[str, str]]
) -> None:
    assert found(numbers) == told


def test_windows_of_a_stream_are_apart() -> None:
    noted: list[str] = []
    made = Sessions(lambda what, finding: noted.append(finding().seen))
    place = (Message("otel.json", 1, 0, b"{"), "a metric")
    for start, time in [(0, 10), (10, 20), (30, 40), (20, 30), (25, 35)]:
        made.window(7, start, time, place)
    assert noted == ["start 25, time 35"]
    assert made.looked_at["windows_apart",] == 4


def test_a_user_stays_the_same_in_a_session() -> None:
    noted: list[tuple[tuple[str, ...], str]] = []
    made = Sessions(lambda what, finding: noted.append((what, finding().seen)))
    place = (Message("otel.json", 1, 0, b"{"), "an_event")
    for session, user in [("a", "x"), ("b", "y"), ("a", "x"), ("a", "z"), ("b", None)]:
        made.heard("events", session, user, place)
    assert noted == [(("constant", "events"), "'z'")]


def test_ids_of_prompts_are_of_their_own() -> None:
    noted: list[str] = []
    made = Sessions(lambda what, finding: noted.append(finding().seen))
    place = (Message("otel.json", 1, 0, b"{"), "user_prompt")
    for session, value in [("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")]:
        made.unique("prompt.id", session, value, place)
    assert noted == ["'1' once more"]
