"""How differences are shown."""

from __future__ import annotations

import json

from harness.assessment.bisecting import Look
from harness.drift.difference import Difference, Impact
from harness.report import drift

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


def test_the_terminal() -> None:
    assert drift.terminal("npm:1", "npm:2", FOUND).splitlines() == [
        "npm:1 -> npm:2: 2 differences (1 privacy, 1 breaking)",
        "",
        "PRIVACY",
        "  attribute user.email: new",
        "    of   metric a, metric b, event c and 1 more",
        "    new  string",
        "    why  it may tell who it is",
        "",
        "BREAKING",
        "  metric m: gone",
        "    old  m",
        "    why  no such metric | is sent",
    ]


def test_nothing_and_one() -> None:
    assert drift.terminal("a", "b", []) == "a -> b: 0 differences\n"
    assert drift.summary("a", "b", FOUND[:1]) == "a -> b: 1 difference (1 privacy)"


def test_markdown() -> None:
    lines = drift.markdown("npm:1", "npm:2", FOUND).splitlines()
    assert lines[0] == "# Telemetry: npm:1 -> npm:2: 2 differences (1 privacy, 1 breaking)"
    assert "## Privacy" in lines
    assert (
        "| `attribute user.email` | metric a, metric b, event c, event d | new |  | string "
        "| it may tell who it is |"
    ) in lines
    assert "| `metric m` |  | gone | m |  | no such metric \\| is sent |" in lines


def test_json() -> None:
    found = json.loads(drift.as_json("npm:1", "npm:2", FOUND))
    assert (found["old"], found["new"]) == ("npm:1", "npm:2")
    assert found["differences"][1] == {
        "subject": "metric m",
        "change": "gone",
        "old": "m",
        "new": "",
        "impact": "breaking",
        "reason": "no such metric | is sent",
        "of": [],
    }


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
