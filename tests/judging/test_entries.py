"""What became of the entries of a list of one's own."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from harness.contract.versions import Version
from harness.findings import Level, Verdict
from harness.judging.entries import EntryState, entries_told
from harness.judging.listing import parse_listing
from harness.judging.verdicts import Row

NAME = "events.user_prompt.exported"


def told(row: Row | None, **more: Any) -> tuple[str, EntryState, str]:
    entry = {"requirements": [NAME], "reason": "It is accepted here.", **more}
    text = json.dumps({"deviations": [{**entry, "evidence": "It was seen in November 2026."}]})
    rows = [] if row is None else [row]
    listing = parse_listing(text, "own.json")
    (each,) = entries_told(listing, Version(2, 1, 332), date(2027, 1, 2), rows)
    return each.name, each.state, each.why


def row(verdict: Verdict, reason: str = "", news: str = "") -> Row:
    return Row(NAME, Level.MUST, verdict, "It is.", "a document", reason, news=news)


@pytest.mark.parametrize(
    ("seen", "more", "state", "why"),
    [
        (row(Verdict.KNOWN), {}, EntryState.SEEN, "It is accepted here."),
        (row(Verdict.FIXED), {}, EntryState.GONE, "take it off the list"),
        (row(Verdict.PASS, news="gone"), {}, EntryState.GONE, "take it off the list"),
        (row(Verdict.FAIL), {"silent": True}, EntryState.GONE, "something tells of it"),
        (row(Verdict.FAIL), {"expires": "2027-01-01"}, EntryState.EXPIRED, "until 2027-01-01: It"),
        (row(Verdict.PASS), {"expires": "2027-01-01"}, EntryState.EXPIRED, "until 2027-01-01: It"),
        (row(Verdict.KNOWN), {"expires": "2027-01-02"}, EntryState.SEEN, "It is accepted here."),
        (row(Verdict.PASS), {"until": "2.1.332"}, EntryState.ELSEWHERE, "subject is 2.1.332"),
        (row(Verdict.FAIL), {"accepted": False}, EntryState.HELD, "It is accepted here."),
        (row(Verdict.PASS), {"intermittent": True}, EntryState.UNTOLD, "need not show it"),
        (row(Verdict.NOT_EXERCISED, "nobody came"), {}, EntryState.UNTOLD, "nobody came"),
        (None, {}, EntryState.UNTOLD, "not among what was to be judged"),
    ],
)
def test_each_entry_is_told_of(
    seen: Row | None, more: dict[str, Any], state: EntryState, why: str
) -> None:
    name, was, text = told(seen, **more)
    assert (name, was) == (NAME, state)
    assert why in text
