"""Entries that are proposed for a list of accepted deviations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.findings import Finding, Level, Verdict
from harness.judging.listing import NO_LISTING, parse_listing
from harness.judging.proposals import proposed, with_proposals
from harness.judging.verdicts import Row

BROKEN = Finding("1 (integer)", '"1" (string)', "grpc · a.b")
SILENT = Finding("exercised in working_day", "not exercised: nobody came (a sign)", "grpc")


def row(verdict: Verdict, *findings: Finding, **more: Any) -> Row:
    values = {"level": Level.MUST, "statement": "It is.", "source": "a document", **more}
    return Row("a.b", verdict=verdict, findings=findings, looked_at=4, **values)


def test_a_failure_is_proposed_with_its_evidence() -> None:
    (entry,) = proposed([row(Verdict.FAIL, BROKEN, BROKEN)], "2.1.332", "claude, on 2027-01-02")
    assert entry == {
        "requirements": ["a.b"],
        "since": "2.1.332",
        "reason": "",
        "evidence": 'claude, on 2027-01-02: expected 1 (integer), seen "1" (string), '
        "at grpc · a.b, and 1 more, of 4 looked at.",
    }
    (of_a_collector,) = proposed([row(Verdict.FAIL, BROKEN)], "", "a collector")
    assert "since" not in of_a_collector


@pytest.mark.parametrize(
    ("judged", "kind"),
    [
        (row(Verdict.FAIL, SILENT, silent=True), {"silent": True}),
        (row(Verdict.FAIL, SILENT, BROKEN), {}),
        (row(Verdict.FIXED, reason="It was so."), {"accepted": False}),
    ],
)
def test_silence_and_what_is_gone_of_our_list_are_told_apart(
    judged: Row, kind: dict[str, bool]
) -> None:
    (entry,) = proposed([judged], "2.1.332", "claude")
    assert {key: entry[key] for key in ("silent", "accepted") if key in entry} == kind


@pytest.mark.parametrize(
    "judged",
    [
        row(Verdict.PASS),
        row(Verdict.KNOWN, BROKEN),
        row(Verdict.ERROR, reason="ours"),
        row(Verdict.NOT_EXERCISED, reason="nobody came"),
        row(Verdict.FAIL, BROKEN, level=Level.SHOULD),
        row(Verdict.FIXED, reason="It was so.", listed_in="own.json"),
    ],
)
def test_nothing_else_is_proposed(judged: Row) -> None:
    assert proposed([judged], "2.1.332", "claude") == []


def test_a_list_grows_and_keeps_what_was_reviewed() -> None:
    entries = proposed([row(Verdict.FAIL, BROKEN)], "2.1.332", "claude, on 2027-01-02")
    new = json.loads(with_proposals(NO_LISTING, entries, "2.1.332"))
    assert (new["format"], new["newest_measured"]) == (1, "2.1.332")
    reviewed = [{**each, "reason": "It has been read by somebody."} for each in new["deviations"]]
    own = parse_listing(json.dumps({**new, "deviations": reviewed}), "own.json")
    grown = json.loads(with_proposals(own, entries, "2.1.340"))
    assert grown["deviations"] == [*reviewed, *entries]
    assert grown["newest_measured"] == "2.1.332"
    assert "newest_measured" not in json.loads(with_proposals(NO_LISTING, entries, ""))
