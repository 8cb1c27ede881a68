"""Differences that a list accepts, and entries that are proposed for one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from harness.contract.versions import Version
from harness.drift.accepted import Sorted, name_of, proposed, sort_out
from harness.drift.difference import Difference, Impact
from harness.errors import UsageError
from harness.judging.entries import EntryState
from harness.judging.listing import parse_listing
from harness.report import accepted

OLD, NEW, LATER = Version(2, 1, 330), Version(2, 1, 332), Version(2, 1, 333)
TODAY = date(2027, 1, 2)
GONE = Difference("event at_mention", "gone", "at_mention", "", Impact.BREAKING, "no such event")
LABEL = Difference(
    "attribute effort", "new", "", "string", Impact.BREAKING, "it splits series", ("metric a",)
)
PROMISE = Difference(
    "promise events.user_prompt.exported", "is now broken", "as promised", "0", Impact.BREAKING, "x"
)
FOUND = (GONE, LABEL, PROMISE)


def listed(*entries: dict[str, Any], old: Version = OLD, new: Version = NEW) -> Sorted:
    told = {"reason": "Nobody here asks for it.", "evidence": "Compared in November 2026."}
    text = json.dumps({"deviations": [{**told, **entry} for entry in entries]})
    return sort_out(FOUND, parse_listing(text, "own.json"), old, new, TODAY)


def states(found: Sorted) -> list[EntryState]:
    return [entry.state for entry in found.entries]


def test_an_entry_accepts_the_difference_that_it_names() -> None:
    found = listed({"differences": ["event at_mention: gone"], "since": "2.1.332"})
    assert found.unlisted == (LABEL, PROMISE)
    assert [each.difference for each in found.accepted] == [GONE]
    assert states(found) == [EntryState.SEEN]


@pytest.mark.parametrize(
    ("more", "old", "state"),
    [
        ({"since": "2.1.333"}, OLD, EntryState.ELSEWHERE),
        ({"until": "2.1.332"}, OLD, EntryState.ELSEWHERE),
        # The older side has it already: that it differs again is another difference.
        ({"since": "2.1.332"}, NEW, EntryState.ELSEWHERE),
        ({"expires": "2027-01-01"}, OLD, EntryState.EXPIRED),
        ({"old": "another"}, OLD, EntryState.GONE),
        ({"differences": ["event at_mention: new"]}, OLD, EntryState.GONE),
    ],
)
def test_another_release_day_or_difference_is_not_accepted(
    more: dict[str, Any], old: Version, state: EntryState
) -> None:
    found = listed({"differences": [name_of(GONE)], **more}, old=old)
    assert found.unlisted == FOUND
    assert states(found) == [state]


@pytest.mark.parametrize("more", [{}, {"expires": "2027-01-02"}, {"old": "at_mention", "new": ""}])
def test_without_a_range_it_is_accepted_everywhere(more: dict[str, Any]) -> None:
    entry = {"differences": [name_of(GONE)], **more}
    assert states(listed(entry, old=NEW, new=LATER)) == [EntryState.SEEN]


def test_a_new_place_is_not_accepted() -> None:
    at = {"differences": [name_of(LABEL)]}
    assert states(listed({**at, "of": ["metric a", "metric b"]})) == [EntryState.SEEN]
    assert states(listed({**at, "of": ["metric b"]})) == [EntryState.GONE]


@pytest.mark.parametrize(
    ("more", "accepts"), [({}, True), ({"silent": True}, False), ({"accepted": False}, False)]
)
def test_an_accepted_failure_is_accepted_as_a_difference(
    more: dict[str, Any], accepts: bool
) -> None:
    found = listed({"requirements": ["events.user_prompt.exported"], "since": "2.1.332", **more})
    assert (PROMISE not in found.unlisted) is accepts
    # Whether it is seen again is told by its verdict.
    assert found.entries == ()


def test_what_is_proposed_is_accepted_once_it_has_a_reason() -> None:
    entries = proposed(FOUND, OLD, NEW, "npm:2.1.330 -> npm:2.1.332, compared on 2027-01-02")
    with pytest.raises(UsageError, match=r"\d\]\.reason: expected a sentence .*accepted"):
        parse_listing(json.dumps({"deviations": entries}), "own.json")
    found = listed(*({**each, "reason": "It has been read by somebody."} for each in entries))
    assert found.unlisted == ()
    assert entries[1] == {
        "differences": ["attribute effort: new"],
        "of": ["metric a"],
        "old": "",
        "new": "string",
        "since": "2.1.332",
        "reason": "",
        "evidence": "npm:2.1.330 -> npm:2.1.332, compared on 2027-01-02: breaking; "
        "nothing -> string; it splits series.",
    }


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        (OLD, NEW, {"since": "2.1.332"}),
        (NEW, OLD, {"since": "2.1.330", "until": "2.1.332"}),
        (NEW, NEW, {}),
    ],
)
def test_a_proposal_is_about_the_step_between_two_releases(
    old: Version, new: Version, step: dict[str, str]
) -> None:
    (entry,) = proposed([GONE], old, new, "compared")
    assert {key: entry[key] for key in ("since", "until") if key in entry} == step
    found = listed({**entry, "reason": "It has been read by somebody."}, old=old, new=new)
    assert [each.difference for each in found.accepted] == [GONE]


def test_the_reports_tell_what_was_accepted_and_what_became_of_the_list() -> None:
    found = listed(
        {"differences": [name_of(GONE)]},
        {"differences": ["event x: gone"]},
        {"differences": [name_of(LABEL)], "expires": "2027-01-01"},
    )
    assert accepted.terminal(found).splitlines() == [
        "",
        "own.json: 1 difference accepted · 1 expired · 1 gone",
        "  accepted: event at_mention: gone (Nobody here asks for it.)",
        "  expired: attribute effort: new (accepted until 2027-01-01: Nobody here asks for it.)",
        "  gone: event x: gone (take it off the list: Nobody here asks for it.)",
    ]
    page = accepted.markdown(found)
    assert "| `event at_mention` | gone | at_mention |  | Nobody here asks for it. |" in page
    assert "* expired: `attribute effort: new`" in page
    plain = json.loads(json.dumps(accepted.plain(found)))
    assert [each["subject"] for each in plain["accepted"]] == ["event at_mention"]
    assert [each["state"] for each in plain["expectations"]["entries"]] == [
        *("expired", "gone", "seen again")
    ]


def test_without_a_list_nothing_is_said_of_one() -> None:
    found = sort_out(FOUND, parse_listing('{"deviations": []}', ""), OLD, NEW, TODAY)
    assert found.unlisted == FOUND
    assert (accepted.terminal(found), accepted.markdown(found), accepted.plain(found)) == (
        "",
    ) * 2 + ({},)
