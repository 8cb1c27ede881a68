"""How differences are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.assessment.bisecting import Look
from harness.drift.accepted import AcceptedDifference, Sorted
from harness.drift.comparison import Comparison
from harness.drift.difference import Difference, Impact, Mention
from harness.drift.impact import Hit, Query
from harness.report import drift
from harness.report.drift_page import page

FOUND = [
    Difference(
        "attribute user.email",
        "new",
        "",
        "string",
        Impact.PRIVACY,
        "it may tell who it is",
        ("metric a", "metric b", "event c", "event d"),
    ),
    Difference("metric m", "gone", "m", "", Impact.BREAKING, "no such metric | is sent"),
]


SAID = Mention(("2.1.214: there is <more>.",))

FIRST, SECOND = FOUND
#: As comparisons hold them: with what the changelog says.
COMPARED = Comparison(
    "npm:1",
    "npm:2",
    "2.1.332",
    (replace(FIRST, changelog=SAID), replace(SECOND, changelog=Mention())),
    left_out=("left out: drawn",),
    fail_on="breaking",
)


def test_the_terminal() -> None:
    assert drift.terminal(COMPARED).splitlines() == [
        "npm:1 -> npm:2: 2 differences (1 privacy, 1 breaking)",
        "  left out: drawn",
        "",
        "PRIVACY",
        "  attribute user.email: new",
        "    of   metric a, metric b, event c and 1 more",
        "    new  string",
        "    why  it may tell who it is",
        "    log  2.1.214: there is <more>.",
        "",
        "BREAKING",
        "  metric m: gone",
        "    old  m",
        "    why  no such metric | is sent",
        "    log  not in the changelog",
    ]


def test_a_summary_shows_the_grave_ones_and_counts_the_rest() -> None:
    more = [replace(SECOND, subject=f"metric m{n}") for n in range(3)]
    more += [replace(SECOND, subject="event e", impact=Impact.ADDITIVE)]
    compared = replace(COMPARED, differences=(FIRST, *more))
    told = [line.text for line in drift.lines(compared, most=2)]
    assert [text for text in told if ": gone" in text] == ["  metric m0: gone", "  metric m1: gone"]
    assert told[-1] == "and 1 breaking, 1 additive: --cc-report=DIR writes them all"


def test_nothing_and_one() -> None:
    nothing = Comparison("a", "b")
    assert drift.terminal(nothing) == "a -> b: 0 differences\n"
    one = replace(nothing, differences=(FIRST,))
    assert drift.summary(one) == "a -> b: 1 difference (1 privacy)"


def test_what_could_not_be_compared() -> None:
    problem = Comparison("a", "b", problem="no licence", fail_on="breaking")
    assert drift.terminal(problem) == "a -> b: not compared\n  no licence\n"
    assert "Not compared: no licence" in drift.markdown(problem)
    assert "Not compared: no licence" in page(problem)
    assert problem.failure == "nothing was compared with the baseline"


@pytest.mark.parametrize(
    ("fail_on", "failure"),
    [
        ("none", ""),
        ("privacy", "1 difference from the baseline is privacy"),
        ("breaking", "2 differences from the baseline are breaking or worse"),
        ("any", "2 differences from the baseline"),
    ],
)
def test_what_fails_a_run(fail_on: str, failure: str) -> None:
    assert replace(COMPARED, fail_on=fail_on).failure == failure
    assert replace(COMPARED, fail_on=fail_on, differences=()).failure == ""


def test_markdown() -> None:
    lines = drift.markdown(COMPARED).splitlines()
    assert lines[0] == "# Telemetry: npm:1 -> npm:2: 2 differences (1 privacy, 1 breaking)"
    assert "* left out: drawn" in lines
    assert "## Privacy" in lines
    assert (
        "| `attribute user.email` | metric a, metric b, event c, event d | new |  | string "
        "| it may tell who it is | 2.1.214: there is <more>. |"
    ) in lines
    assert (
        "| `metric m` |  | gone | m |  | no such metric \\| is sent | not in the changelog |"
    ) in lines


def test_json() -> None:
    found = json.loads(drift.as_json(COMPARED))
    assert (found["old"], found["new"], found["by"]) == ("npm:1", "npm:2", "2.1.332")
    assert found["failure"] == "2 differences from the baseline are breaking or worse"
    assert "queries" not in found
    assert found["differences"][1] == {
        "subject": "metric m",
        "change": "gone",
        "old": "m",
        "new": "",
        "impact": "breaking",
        "reason": "no such metric | is sent",
        "of": [],
        "changelog": {"lines": [], "complete_to": ""},
    }


class Seen(HTMLParser):
    """The elements of a page, and the texts of its headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "h2":
            self.headings.append(data.strip())


def test_a_page_needs_nothing_else_and_shows_the_worst_first() -> None:
    query = Query("grafana/d.json", "<img src=x>", 'sum(m) by ("a")')
    text = page(replace(COMPARED, hits=(Hit(query, COMPARED.differences[1:], ("b is never",)),)))
    seen = Seen(text)
    loads = {"src", "href", "action", "data", "srcset", "onload", "onclick", "style"}
    assert not [attributes for _, attributes in seen.tags if loads & attributes.keys()]
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in seen.tags}
    assert "url(" not in text
    assert "@import" not in text
    headings = [text for text in seen.headings if text]
    assert headings[:3] == ["Your queries", "Privacy", "Breaking"]
    boxes = [attributes.get("id") for tag, attributes in seen.tags if tag == "input"]
    assert boxes == ["show-privacy", "show-breaking", "only-unmentioned"]
    # Each box hides what it is about.
    for box in boxes:
        assert f"body:has(#{box}:" in text
    changes = [a["class"] for tag, a in seen.tags if (a.get("class") or "").startswith("change")]
    assert changes == ["change privacy mentioned", "change breaking"]


def test_a_page_escapes_what_telemetry_says() -> None:
    evil = "<script>alert(1)</script>'\"&"
    bad = Difference(evil, evil, evil, evil, Impact.PRIVACY, evil, (evil,), Mention((evil,)))
    hit = Hit(Query(evil, evil, evil), (bad,), (evil,))
    listed = Sorted((), (AcceptedDifference(bad, evil),), (), evil)
    text = page(Comparison(evil, evil, evil, (bad,), (hit,), "any", (evil,), listed=listed))
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#34;&amp;") >= 15
    assert "<script" not in page(Comparison(evil, evil, problem=evil))


def test_neighbours() -> None:
    good, bad, skipped = (
        Look("2.1.104", "good", "broken"),
        Look("2.1.106", "bad", "kept"),
        Look("2.1.105", "skip", "does not start"),
    )
    assert drift.neighbours(good, bad, ()).splitlines() == [
        "changed after 2.1.104, in 2.1.106",
        "  2.1.104  broken",
        "  2.1.106  kept",
    ]
    assert drift.neighbours(good, bad, (skipped,)).splitlines()[:1] == [
        "changed after 2.1.104, by 2.1.106: nothing can be told of 2.1.105"
    ]
